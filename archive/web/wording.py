"""Templates in each language: what `_("…")` says is put in when a template is compiled, not each time a page is written.

A page asks for some fifty such words, always the same ones of its language. Each language so has templates of its own (an overlay of the
one Jinja environment); words with placeholders, `_("…", n=3)`, are asked for as before.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import Template
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from archive import language


class Worded(Extension):
    """Replaces `_("…")` by the words in the language of the environment, a plain string that is escaped like any other."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """The tokens of a template with each such call made one string."""
        spoken = getattr(self.environment, "language", "")
        tokens = list(stream)
        at = 0
        while at < len(tokens):
            if spoken and _is_call(tokens, at):
                with language.in_language(spoken):
                    yield Token(tokens[at].lineno, "string", language._(tokens[at + 2].value))
                at += 4
            else:
                yield tokens[at]
                at += 1


def _is_call(tokens: list[Token], at: int) -> bool:
    """True where `_`, `(`, a string and `)` stand, and `_` is no attribute of something."""
    given = tokens[at : at + 4]
    if at and tokens[at - 1].type == "dot":
        return False
    return [token.type for token in given] == ["name", "lparen", "string", "rparen"] and given[0].value == "_"


class WordedEnvironment(Environment):
    """The Jinja environment of an application; templates that have a name come from the overlay of the language in force."""

    language = ""
    """The language of an overlay; none of the environment itself, where words are asked for as the page is written."""

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self._overlays: dict[str, WordedEnvironment] = {}

    def get_template(self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None) -> Template:
        """The template in the language in force, of an overlay in its own."""
        here = self if self.language else self._in_force()
        return super(WordedEnvironment, here).get_template(name, parent, globals)

    def _in_force(self) -> WordedEnvironment:
        spoken = language.current()
        found = self._overlays.get(spoken)
        if found is None:
            found = self.overlay()
            found.language = spoken
            found = self._overlays.setdefault(spoken, found)
        return found


def install(app: Flask) -> None:
    """Have `app` take its templates so. To be installed before anything asks for its environment."""
    app.jinja_environment = WordedEnvironment  # type: ignore[assignment]
    app.jinja_options = {**app.jinja_options, "extensions": [Worded]}
