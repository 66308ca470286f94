"""The looks, as data. Levels lie on a blue-to-orange axis, so that no pair is told apart by red against green."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="bk-dark",
    dark=True,
    primary="#e3b341",
    secondary="#79b8ff",
    accent="#f0883e",
    foreground="#d5d9e0",
    background="#11151c",
    surface="#161b24",
    panel="#1f2733",
    success="#56b6c2",
    warning="#e3b341",
    error="#ff7b72",
    variables={
        "text-quiet": "#96a0b0",
        "text-faint": "#6b7585",
        "panel-strong": "#2d3746",
        "rule-line": "#2d3746",
        "selected": "#26344a",
        "selected-calm": "#1c2431",
        "input-cursor-background": "#e3b341",
        "border": "#2d3746",
    },
)
LIGHT = Theme(
    name="bk-light",
    dark=False,
    primary="#8a5a00",
    secondary="#0b5cad",
    accent="#a8460c",
    foreground="#1f2530",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e7e4dc",
    success="#0b6b76",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        "text-quiet": "#5c6573",
        "text-faint": "#858d99",
        "panel-strong": "#d3cec2",
        "rule-line": "#d3cec2",
        "selected": "#d9e4f2",
        "selected-calm": "#eae7df",
        "input-cursor-background": "#8a5a00",
        "border": "#d3cec2",
    },
)
CONTRAST = Theme(
    name="bk-contrast",
    dark=True,
    primary="#ffff00",
    secondary="#00ffff",
    accent="#ffaf5f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#5fffff",
    warning="#ffff00",
    error="#ff8787",
    variables={
        "text-quiet": "#d0d0d0",
        "text-faint": "#b2b2b2",
        "panel-strong": "#444444",
        "rule-line": "#ffffff",
        "selected": "#0000af",
        "selected-calm": "#303030",
        "input-cursor-background": "#ffff00",
        "border": "#ffffff",
    },
)
THEMES = (DARK, LIGHT, CONTRAST)
