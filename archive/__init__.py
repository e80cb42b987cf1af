"""Fangzhi 方志馆: a digital archive of local history."""

__version__ = "0.1.0"
