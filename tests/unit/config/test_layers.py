"""Which layer wins, what a lock holds, and what is wrong with a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from bk.engine.config.key import Key
from bk.engine.config.layers import Layer, merge, parse
from bk.engine.config.policy import Policy
from bk.engine.config.schema import BY_NAME, KEYS
from bk.engine.errors import BkError
from tests.unit.config.settings import TEXTS, settings, toml

OTHER = {
    "bool": lambda key: not key.default,
    "int": lambda key: key.low if key.default != key.low else key.low + 1,
    "choice": lambda key: next(each for each in key.choices if each != key.default),
    "list": lambda key: {"glob": ["/x/**"], "exception": ["npm:x * ours"], "rule": ["git/*"]}.get(key.item, ["x+"]),
    "url": lambda _key: "https://registry.example",
    "text": lambda key: TEXTS[key.item],
    "lists": lambda _key: {"hosts": ["a.example"]},
}


def other(key: Key) -> object:
    return OTHER[key.kind](key)


def policy(system: str = "", user: str = "") -> Policy:
    return merge(parse(system, "system", system=True), parse(user, "user"))


def test_defaults_are_the_documented_ones() -> None:
    values = policy().values
    assert values["fail_mode"] == "closed"
    assert (values["auto_quarantine.enabled"], values["auto_quarantine.dry_run"]) == (False, True)
    assert values["auto_quarantine.threshold"] == 2
    assert set(policy().origin.values()) == {"built-in"}
    assert list(values) == [key.name for key in KEYS]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_default_is_a_value_the_key_accepts(key: Key) -> None:
    assert key.read(key.default) == (key.default, "")


@pytest.mark.parametrize("key", [k for k in KEYS if k.relax == "user" and k.kind != "lists"], ids=lambda key: key.name)
def test_system_beats_built_in_and_user_beats_system(key: Key) -> None:
    stated = toml({key.name: other(key)})
    above = policy(system=stated)
    assert (above.values[key.name], above.origin[key.name]) == (other(key), "system")
    own = policy(system=stated, user=toml({key.name: key.default}))
    assert (own.values[key.name], own.origin[key.name]) == (key.default, "user")


def test_a_list_of_ones_own_does_not_unname_the_system_s_lists() -> None:
    made = policy('[lists]\nhosts = ["a.example"]\nteams = ["x"]\n', '[lists]\nhosts = ["b.example"]\n')
    assert made.values["lists"] == {"hosts": ["b.example"], "teams": ["x"]}


def test_what_the_user_does_not_state_never_hides_the_system_layer() -> None:
    made = policy('fail_mode = "warn"\n[audit]\nretention_days = 7\n', "[audit]\nsegment_entries = 99\n")
    assert made.values["fail_mode"] == "warn"
    assert made.values["audit.retention_days"] == 7
    assert made.values["audit.segment_entries"] == 99


@given(system=settings(), user=settings())
def test_a_value_comes_from_the_highest_layer_that_states_it(
    system: dict[str, object], user: dict[str, object]
) -> None:
    made = policy(toml(system), toml(user))
    for key in KEYS:
        if key.name.startswith("corroboration.") or key.relax == "system":
            continue  # these are put in step with each other, or held
        if key.kind == "lists":
            both = {**system.get(key.name, {}), **user.get(key.name, {})}  # type: ignore[dict-item]
            assert made.values[key.name] == both
            continue
        expected = user.get(key.name, system.get(key.name, key.default))
        assert made.values[key.name] == expected, key.name


@given(user=settings())
def test_thresholds_are_always_in_step_and_only_ever_lowered(user: dict[str, object]) -> None:
    made = policy(user=toml(user))
    v = {name.partition(".")[2]: value for name, value in made.values.items() if name.startswith("corroboration.")}
    assert 1 <= v["warn_at"] <= v["block_at"] <= v["quarantine_at"]
    assert v["critical_block_at"] <= min(v["block_at"], v["critical_quarantine_at"])
    assert v["critical_quarantine_at"] <= v["quarantine_at"]
    for name, value in v.items():
        key = BY_NAME[f"corroboration.{name}"]
        assert value <= user.get(key.name, key.default)  # type: ignore[operator]


def test_block_at_above_quarantine_at_does_not_block_every_install() -> None:
    made = policy(user="corroboration.block_at = 4\n")
    assert made.values["corroboration.block_at"] == 3
    assert any("block_at = 4 is above" in problem for problem in made.problems)


@pytest.mark.parametrize("block", ["enabled = true", "threshold = 1", "enabled = true\nthreshold = 3", ""])
def test_a_quarantine_block_without_dry_run_is_a_dry_run(block: str) -> None:
    assert policy(user=f"[auto_quarantine]\n{block}\n").values["auto_quarantine.dry_run"] is True


@pytest.mark.parametrize("raw", ["0", '"false"', '""', "[]", "0.0", "1"])
def test_dry_run_is_off_only_for_false_itself(raw: str) -> None:
    with pytest.raises(BkError, match="true or false"):
        policy(user=f"auto_quarantine.dry_run = {raw}\n")
    assert policy(user="auto_quarantine.dry_run = false\n").values["auto_quarantine.dry_run"] is False


@pytest.mark.parametrize(("stated", "used"), [(0, 1), (-5, 1), (4, 3), (10**30, 3), (1, 1), (3, 3)])
def test_the_threshold_is_clamped_and_says_so(stated: int, used: int) -> None:
    made = policy(user=f"auto_quarantine.threshold = {stated}\n")
    assert made.values["auto_quarantine.threshold"] == used
    assert bool(made.problems) == (stated != used)


@pytest.mark.parametrize("hours", [-1, 0, 1, 25, 48, '"30m"', "2.5"])
def test_a_sync_interval_out_of_bounds_is_refused_and_not_bent(hours: object) -> None:
    with pytest.raises(BkError, match="interval_hours"):
        policy(user=f"catalog_sync.interval_hours = {hours}\n")


@pytest.mark.parametrize("hours", [2, 24])
def test_a_sync_interval_within_bounds_is_used(hours: int) -> None:
    assert policy(user=f"catalog_sync.interval_hours = {hours}\n").values["catalog_sync.interval_hours"] == hours


def test_a_locked_key_cannot_be_loosened_by_the_user() -> None:
    system = 'locked = ["fail_mode", "paths.block", "engine.idle_exit_s"]\nfail_mode = "warn"\npaths.block = ["/a"]\n'
    held = policy(system, 'fail_mode = "open"\npaths.block = ["/b"]\nengine.idle_exit_s = 5\n')
    assert held.values["fail_mode"] == "warn"
    assert held.values["paths.block"] == ["/a", "/b"]
    assert held.values["engine.idle_exit_s"] == 0
    assert len([p for p in held.problems if "locks it" in p]) == 3
    tighter = policy(system, 'fail_mode = "closed"\n')
    assert tighter.values["fail_mode"] == "closed"
    assert tighter.problems == ()


def test_a_key_that_only_the_system_may_loosen() -> None:
    assert policy(user="hook.max_depth = 100\n").values["hook.max_depth"] == 64
    assert policy(user="hook.max_depth = 20\n").values["hook.max_depth"] == 20
    assert policy("hook.max_depth = 100\n", "hook.max_depth = 90\n").values["hook.max_depth"] == 90


def test_locking_is_for_the_system_file() -> None:
    with pytest.raises(BkError, match="only the system file may lock"):
        parse('locked = ["fail_mode"]\n', "user")
    with pytest.raises(BkError, match="which is no key"):
        parse('locked = ["fail_moed"]\n', "system", system=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\nfail_moed = 'warn'\n", "config.toml:3: fail_moed there is no such key; did you mean fail_mode?"),
        (
            "[hook]\n\ndeadline = 1\n",
            "config.toml:3: hook.deadline there is no such key; did you mean hook.deadline_ms",
        ),
        ("deadline_ms = 1\n", "did you mean hook.deadline_ms?"),
        ("[qqqq]\nx = 1\n", "qqqq there is no such key"),
        ("[hook]\ndeadline_ms = 100\n", "config.toml:2: hook.deadline_ms is outside 500–30000"),
        ("hook.deadline_ms = true\n", "is a truth value; a whole number is needed"),
        ("hook.deadline_ms = 5000.0\n", "is a fraction; a whole number is needed"),
        ("hook = 3\n", "hook there is no such key"),
        ("fail_mode = 'ajar'\n", "is 'ajar'; one of open, warn, closed is needed"),
        ("paths.block = '/a'\n", "is text; a list is needed"),
        ("paths.block = [1]\n", "has an item that is a number"),
        ("paths.block = ['a/b']\n", "names no place"),
        ("paths.block = ['/a/../b']\n", "goes up"),
        ("audit.redact_patterns = ['(?<=x)y']\n", "RE2 cannot run"),
        ("audit.redact_patterns = ['x*']\n", "matches the empty text"),
        ("fail_mode = \n", "Invalid value (at line 1, column 13)"),
        ("a = 1\na = 2\n", "line 2"),
        ("x = " + "[" * 5000, "cannot be parsed"),
        ("x = " + "9" * 5000, "cannot be parsed"),
    ],
    ids=map(str, range(19)),
)
def test_what_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(BkError) as caught:
        parse(text, "config.toml")
    assert told in caught.value.detail
    assert "validate" in caught.value.next_step


def test_every_fault_is_named_at_once_and_hostile_names_are_inert() -> None:
    with pytest.raises(BkError) as caught:
        parse('"a\\u001b[31m" = 1\nfail_mode = 3\nhook.max_bytes = 1\n', "config.toml")
    assert len(caught.value.detail.splitlines()) == 3
    assert "\x1b" not in caught.value.detail


def test_the_digest_follows_the_values_and_nothing_else() -> None:
    plain, said = policy(), policy(user='# why\nfail_mode = "closed"\n')
    assert plain.digest == said.digest
    assert policy(user='fail_mode = "warn"\n').digest != plain.digest
    assert len(plain.digest) == 32
    assert merge(Layer(), Layer()).digest == plain.digest


@given(values=settings())
def test_what_is_written_is_what_is_read(values: dict[str, object]) -> None:
    assert json.dumps(parse(toml(values), "x").values, sort_keys=True) == json.dumps(values, sort_keys=True)
