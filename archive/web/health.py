"""`/healthz` for a load balancer and `/metrics` for Prometheus, the latter only for this machine itself."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from archive.errors import ArchiveError, NotFound
from archive.model.rights import Audience
from archive.web import access
from archive.web.hall import hall

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 when the catalogue answers; the index may be missing (`search` says so), for browsing still works then."""
    try:
        hall().reading.collections(Audience.PUBLIC)
    except ArchiveError:
        return jsonify(status="down", catalogue=False), 503
    well = "fault" not in hall().archive.index.doctor()
    return jsonify(status="ok" if well else "degraded", catalogue=True, search=well), 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts by route and status; not there for anyone from elsewhere, nor through a proxy."""
    if not access.is_local(request):
        raise NotFound("metrics")
    return Response(hall().metrics.text(), mimetype="text/plain; version=0.0.4")
