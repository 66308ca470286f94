"""Every scenario of the responder by its id: the test that shows it, or in whose work it belongs; and some of them."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bk.engine.checks.own import commands
from bk.engine.errors import BkError
from bk.engine.model import Run
from bk.engine.responder import notify
from bk.engine.responder.incidents import Book
from tests.unit.quarantine.house import photograph
from tests.unit.responder.house import House
from tests.unit.responder.test_decisions import Machine

ROOT = Path(__file__).parent.parent.parent.parent
HOLD, IDENTITY, RACE = "unit/quarantine/test_hold", "unit/quarantine/test_identity", "unit/quarantine/test_race"
CRASH, DISKS, PASS = "unit/quarantine/test_crashes", "unit/quarantine/test_disks", "unit/responder/test_pass"
GATE, MADE, HERE = "unit/responder/test_gate", "unit/responder/test_decisions", "unit/responder/test_cases"
E2E, LAYERS = "e2e/test_responder", "unit/config/test_layers"

SECTIONS = {"Q": 35, "R": 24, "P": 8, "T": 31, "E": 17, "N": 7, "K": 5}
SHOWN: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ["Q01", "Q02", "Q31", "Q33", "R19"], (HOLD, "test_a_package_is_taken_out_of_use_and_comes_back_as_it_was")
    ),
    **dict.fromkeys(
        ["Q04", "Q05", "Q06", "Q07", "Q08", "Q09", "Q10", "Q12", "Q13", "Q16", "Q29"], (HOLD, "test_refused_places")
    ),
    **dict.fromkeys(["Q15"], (RACE, "test_a_swapped_source_is_refused_or_the_artifact_is_held")),
    **dict.fromkeys(["Q18", "T01"], (PASS, "test_a_package_that_two_groups_name_is_held_and_nothing_else_is")),
    **dict.fromkeys(["Q17", "Q20"], (IDENTITY, "test_no_accepted_path_leaves_its_container")),
    "Q19": (PASS, "test_a_python_package_is_its_files_and_not_its_environment"),
    "Q21": (PASS, "test_a_refused_move_is_told_once_and_tried_again"),
    **dict.fromkeys(["Q22", "Q23", "Q24", "Q25"], (HOLD, "test_names_from_outside_never_reach_the_disk")),
    **dict.fromkeys(["Q28"], (DISKS, "test_no_room_for_the_copy")),
    **dict.fromkeys(
        ["Q27", "Q30", "K01"], (CRASH, "test_a_hold_killed_at_any_step_leaves_the_artifact_where_it_was_or_held")
    ),
    **dict.fromkeys(["Q32", "P06"], (HOLD, "test_what_the_books_do_not_know_is_in_sight_and_cannot_be_purged")),
    **dict.fromkeys(["Q34", "R07"], (HOLD, "test_what_was_altered_is_seen_and_not_put_back")),
    "Q35": (PASS, "test_a_lock_files_line_and_the_package_beside_it_are_one_incident"),
    **dict.fromkeys(["R01"], (HOLD, "test_an_id_is_looked_up_and_never_a_path")),
    "R02": (MADE, "test_an_item_is_called_by_the_end_of_its_id"),
    **dict.fromkeys(["R03", "R04", "R05", "R06", "R15"], (HOLD, "test_elsewhere_is_judged_by_the_same_rules")),
    **dict.fromkeys(
        ["R08", "R09", "R10", "R11", "R12"], (IDENTITY, "test_windows_forms_that_mean_something_else")
    ),
    "R13": (IDENTITY, "test_containment_ignores_case_where_it_must"),
    **dict.fromkeys(["R16", "R17"], (HOLD, "test_a_taken_place_is_a_conflict_even_when_it_is_an_empty_folder")),
    "R18": (HOLD, "test_a_missing_or_exchanged_folder_needs_a_word"),
    "R21": (MADE, "test_a_sync_holds_and_a_restore_gives_every_byte_back_and_is_left_alone"),
    "R22": (MADE, "test_what_is_still_known_to_be_bad_is_put_back_only_with_a_reason"),
    "R23": (MADE, "test_a_sync_holds_and_a_restore_gives_every_byte_back_and_is_left_alone"),
    "R24": (HERE, "test_agents_may_look_and_no_more"),
    **dict.fromkeys(["P01", "P05"], (MADE, "test_purging_needs_the_end_of_the_id_and_is_one_item")),
    "P02": (E2E, "test_an_npm_package_from_dry_run_to_purge"),
    **dict.fromkeys(["P03", "P04"], (HERE, "test_nothing_that_works_by_itself_can_reach_the_code_that_deletes")),
    "P07": (HOLD, "test_a_purge_takes_one_item_and_follows_no_link"),
    **dict.fromkeys(["T02"], (PASS, "test_a_dry_run_leaves_every_byte_and_tells_once")),
    "T03": (PASS, "test_one_group_only_warns_and_names_the_count"),
    **dict.fromkeys(["T04", "T23"], (PASS, "test_a_lock_file_alone_names_no_place_and_is_told_once")),
    "T05": (PASS, "test_hits_of_every_kind_are_counted_apart"),
    "T06": (GATE, "test_the_threshold_is_always_one_to_three"),
    "T07": (LAYERS, "test_the_threshold_is_clamped_and_says_so"),
    "T08": (LAYERS, "test_a_quarantine_block_without_dry_run_is_a_dry_run"),
    "T09": (E2E, "test_a_projects_own_settings_cannot_have_anything_moved"),
    "T10": (LAYERS, "test_a_locked_key_cannot_be_loosened_by_the_user"),
    **dict.fromkeys(["T12", "T13", "T15"], (GATE, "test_evidence_counts_groups_by_how_they_name_the_version")),
    "T17": (PASS, "test_a_package_that_two_groups_name_is_held_and_nothing_else_is"),
    "T18": ("unit/responder/test_import", "test_what_is_no_record_is_told_and_the_rest_is_read"),
    "T19": (PASS, "test_a_thousand_changes_are_told_and_the_rest_is_counted"),
    "T20": (HERE, "test_a_secret_in_a_name_does_not_reach_the_ledger"),
    "T21": (PASS, "test_the_breaker_asks_about_the_rest"),
    "T22": (PASS, "test_what_lies_there_now_is_looked_at_before_a_move"),
    "T24": (PASS, "test_a_single_source_is_never_a_target"),
    "T25": (HERE, "test_a_damaged_book_moves_nothing_and_says_so"),
    "T27": (PASS, "test_the_same_name_in_two_ecosystems_is_two_targets"),
    "E11": ("unit/responder/test_import", "test_other_records_are_passed_over"),
    "E12": (HERE, "test_a_scan_leaves_one_entry_and_not_one_a_package"),
    "E13": ("unit/responder/test_import", "test_what_is_no_record_is_told_and_the_rest_is_read"),
    **dict.fromkeys(["E15", "E16", "E17"], (E2E, "test_a_scan_says_what_it_found_and_exits_by_it")),
    "N01": ("e2e/test_own", "test_a_listed_release_blocks_whatever_fail_mode_says"),
    "N02": ("unit/own/test_refresh", "test_what_the_key_did_not_sign_blocks_until_a_good_list_comes"),
    "N03": ("e2e/test_own", "test_without_a_network_what_was_accepted_holds"),
    "N04": ("unit/own/test_standing", "test_a_key_that_is_none_refuses"),
    "N05": ("unit/own/test_standing", "test_a_call_reads_one_file_and_verifies_nothing"),
    "N06": (HERE, "test_nobody_is_told_where_nobody_is"),
    "N07": (HERE, "test_many_notes_in_a_minute_are_one_and_inert"),
    "K02": (DISKS, "test_two_processes_restore_one_item_once"),
    "K03": (CRASH, "test_a_purge_killed_at_any_step_is_done_again_by_a_person_or_not_at_all"),
    "K04": ("e2e/test_engine_lifecycle", "test_start_status_and_the_answer_of_a_second_start"),
    "K05": (HERE, "test_a_book_that_somebody_else_writes_is_waited_for"),
}  # fmt: skip
ELSEWHERE = {
    "Q03": "there is no call without an ecosystem", "Q11": "Windows junctions: there is no Windows build",
    "Q14": "links of the system's own prefix: macOS", "Q26": "copying to another file system is always on",
    "R14": "the vault is opened without following links: no entry is ever a link",
    "R20": "labels of the corpus", "P08": "retention of the vault",
    "T11": "the worker's stage", "T14": "tiers of the corpus", "T16": "the line of `bk diag`",
    "T26": "the sensor, which reads targets", "T28": "labels of the corpus", "T29": "labels of the corpus",
    "T30": "labels of the corpus", "T31": "names of the corpus",
    "E01": "watch", "E02": "watch", "E03": "watch", "E04": "watch", "E05": "watch", "E06": "watch", "E07": "watch",
    "E08": "watch", "E09": "watch", "E10": "watch", "E14": "no other program is run for a scan",
}  # fmt: skip


def test_every_scenario_has_its_test_or_its_place() -> None:
    every = {f"{letter}{number:02}" for letter, most in SECTIONS.items() for number in range(1, most + 1)}
    assert every == set(SHOWN) | set(ELSEWHERE)
    assert not set(SHOWN) & set(ELSEWHERE)


@pytest.mark.parametrize(("file", "name"), sorted(set(SHOWN.values())))
def test_the_tests_that_are_named_exist(file: str, name: str) -> None:
    tree = ast.parse((ROOT / "tests" / f"{file}.py").read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("quarantine list", True), ("quarantine show q_1", True), ("incidents list --all", True),
        ("incidents show 3f", True), ("scan --root .", True), ("inventory show npm:x", True),
        ("remediate plan 3f", True), ("quarantine restore q_1", False), ("quarantine purge --all", False),
        ("quarantine verify", False), ("quarantine export q_1 --to x", False), ("incidents ack 3f", False),
        ("incidents exempt 3f --reason x", False), ("incidents approve 3f", False), ("incidents reopen 3f", False),
        ("quarantine list --admin", False), ("inventory import x", False),
    ],
)  # fmt: skip
def test_agents_may_look_and_no_more(words: str, passes: bool) -> None:
    found = list(commands([Run(("bk", *words.split()))]))
    assert (not found) == passes


@pytest.mark.parametrize("module", ["bk.engine.responder.round", "bk.engine.catalogs.worker", "bk.serve"])
def test_nothing_that_works_by_itself_can_reach_the_code_that_deletes(module: str) -> None:
    code = f"import sys, {module}; sys.exit('bk.quarantine.purge' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_secret_in_a_name_does_not_reach_the_ledger(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    secret = "ghp_" + "a1B2c3D4e5" * 4
    machine.install(secret)
    machine.say(secret.lower(), "osv", "datadog")
    machine.say(secret, "osv", "datadog")
    machine.sync()
    assert machine.told()
    assert secret not in str(machine.told())


def test_a_damaged_book_moves_nothing_and_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.say("evil", "osv", "datadog")
    item = house.install()
    Path(house.state.root, "incidents.db").write_bytes(b"no database at all" * 100)
    before = photograph(house.project)
    with pytest.raises(BkError, match="incidents cannot be read"):
        house.run([item])
    assert photograph(house.project) == before
    assert house.held() == []


def test_a_scan_leaves_one_entry_and_not_one_a_package(tmp_path: Path) -> None:
    from bk.engine.console.scan import scan

    machine = Machine(tmp_path)
    for number in range(5):
        machine.install(f"good{number}")
    machine.sync()
    scan("project", [str(machine.project)], env=machine.env)
    assert [each["event"] for each in machine.told()] == ["scan"]


def test_nobody_is_told_where_nobody_is(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.say("evil", "osv", "datadog")
    outcome = house.run([house.install()])
    for channel, said in (("none", []), ("desktop", ["nobody is there: `bk diag` says it"])):
        house.values["notify.channel"] = channel
        entries = notify.tell(house.state, house.values, outcome, env={})
        assert [entry.data["outcome"] for entry in entries] == said


def test_many_notes_in_a_minute_are_one_and_inert(tmp_path: Path) -> None:
    house = House(tmp_path)
    told = tmp_path / "told"
    house.values["notify.channel"] = "command"
    write = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))"
    house.values["notify.command"] = [sys.executable, "-c", write, str(told), "{text}"]
    house.set(max_moves=10)
    items = [house.install(f"evil{number}\u202e") for number in range(5)]
    for item in items:
        house.say(item.name, "osv", "datadog")
    outcome = house.run(items)
    entries = notify.tell(house.state, house.values, outcome)
    assert [entry.data["outcome"] for entry in entries] == ["sent"]
    (line,) = told.read_text().splitlines()
    assert line.startswith("5 incidents: ")
    assert "\u202e" not in line
    assert len(line) <= 240


def test_a_book_that_somebody_else_writes_is_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.say("evil", "osv", "datadog")
    item = house.install()
    with Book(house.state, write=True) as book:
        book._con.execute("BEGIN IMMEDIATE")
        outcome: list[int] = []
        other = threading.Thread(target=lambda: outcome.append(house.run([item]).moved))
        other.start()
        time.sleep(1.0)
        book._con.execute("COMMIT")
        other.join(20)
    assert outcome == [1]
