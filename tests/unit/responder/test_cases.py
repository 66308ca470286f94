"""Every scenario of the responder by its id: the test that shows it, or in whose work it belongs; and some of them."""

from __future__ import annotations

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
VAULT, RUNS, FEEDS = (f"unit/responder/test_scenarios_{name}" for name in ("vault", "pass", "feeds"))
WATCH, LANDED = "unit/responder/test_watch", "unit/responder/test_landed"
CORPUS, REAL, PROMOTE = (f"unit/corpus/test_{name}" for name in ("scenarios", "adjudicate_real", "promote"))
ENVELOPE, SEALED, SALT = (f"unit/corpus/test_{name}" for name in ("envelope", "verifier", "salt"))
HOSTILE, HAND, SHELF = "pilot/test_hostile", "pilot/test_person_s_hand", "pilot/test_quarantine"

SECTIONS = {"Q": 35, "R": 24, "P": 8, "T": 31, "E": 17, "S": 15, "C": 29, "U": 21, "N": 7, "K": 5}
SHOWN: dict[str, tuple[str, ...]] = {  # a file, and the tests in it
    "Q01": ("unit/quarantine/test_rows", "test_a_folder_and_its_row_are_one_item"),
    **dict.fromkeys(["Q02", "Q31", "R19"], (HOLD, "test_a_package_is_taken_out_of_use_and_comes_back_as_it_was")),
    "Q03": (VAULT, "test_q03_what_kind_of_artifact_it_is_must_be_said_and_an_extension_is_one"),
    **dict.fromkeys(["Q04", "Q07", "Q08", "Q10", "Q12", "Q13", "Q16"], (HOLD, "test_refused_places")),
    "Q05": (VAULT, "test_q05_nothing_of_ours_is_moved"),
    "Q06": (VAULT, "test_q06_another_persons_home_is_theirs"),
    "Q09": (VAULT, "test_q09_what_is_held_is_not_held_again"),
    "Q11": (VAULT, "test_q11_a_folder_that_stands_for_another_one_stays"),
    "Q14": (VAULT, "test_q14_a_link_that_leads_to_the_home_is_none_of_the_artifacts"),
    "Q15": (RACE, "test_a_swapped_source_is_refused_or_the_artifact_is_held"),
    "Q17": (VAULT, "test_q17_a_set_of_files_that_reaches_out_stays_whole"),
    "Q18": (PASS, "test_a_package_that_two_groups_name_is_held_and_nothing_else_is"),
    "Q19": (PASS, "test_a_python_package_is_its_files_and_not_its_environment"),
    "Q20": (VAULT, "test_q20_of_an_editors_extensions_only_the_bad_one_goes"),
    "Q21": (PASS, "test_a_refused_move_is_told_once_and_tried_again"),
    "Q22": (HOLD, "test_names_from_outside_never_reach_the_disk"),
    "Q23": (VAULT, "test_q23_names_that_are_none_get_an_id_too"),
    **dict.fromkeys(["Q24", "Q25"], (VAULT, "test_q23_to_q25_names_are_told_in_full_inert_and_apart")),
    "Q26": (VAULT, "test_q26_where_nothing_can_be_copied_to_the_artifact_stays_and_that_is_told"),
    "Q28": (DISKS, "test_no_room_for_the_copy"),
    **dict.fromkeys(
        ["Q27", "Q30", "K01"], (CRASH, "test_a_hold_killed_at_any_step_leaves_the_artifact_where_it_was_or_held")
    ),
    "Q29": (VAULT, "test_q29_one_that_is_gone_does_not_stop_the_rest"),
    "Q32": (VAULT, "test_q32_what_the_books_do_not_know_needs_recovery_and_is_said_everywhere"),
    **dict.fromkeys(["Q33", "P01"], (VAULT, "test_p01_all_of_them_each_by_its_own_word")),
    **dict.fromkeys(["Q34", "R14"], (HOLD, "test_what_was_altered_is_seen_and_not_put_back")),
    "Q35": (PASS, "test_a_lock_files_line_and_the_package_beside_it_are_one_incident"),
    **dict.fromkeys(["R01", "R02"], (HOLD, "test_an_id_is_looked_up_and_never_a_path")),
    **dict.fromkeys(
        ["R03", "R04", "R05", "R06", "R07"],
        (VAULT, "test_r03_to_r07_a_place_that_was_written_into_the_books_is_not_believed"),
    ),
    **dict.fromkeys(
        ["R08", "R09", "R10", "R11", "R12"], (IDENTITY, "test_windows_forms_that_mean_something_else")
    ),
    "R13": (IDENTITY, "test_containment_ignores_case_where_it_must"),
    "R15": (VAULT, "test_r15_a_way_that_leads_into_the_quarantine_is_not_gone"),
    **dict.fromkeys(["R16", "R17"], (HOLD, "test_a_taken_place_is_a_conflict_even_when_it_is_an_empty_folder")),
    "R18": (HOLD, "test_a_missing_or_exchanged_folder_needs_a_word"),
    **dict.fromkeys(
        ["R21", "R23"], (MADE, "test_a_sync_holds_and_a_restore_gives_every_byte_back_and_is_left_alone")
    ),
    "R22": (MADE, "test_what_is_still_known_to_be_bad_is_put_back_only_with_a_reason"),
    "R24": (HERE, "test_agents_may_look_and_no_more"),
    "P02": (E2E, "test_an_npm_package_from_dry_run_to_purge"),
    **dict.fromkeys(["P03", "P04"], (HERE, "test_nothing_that_works_by_itself_can_reach_the_code_that_deletes")),
    "P05": (MADE, "test_purging_needs_the_end_of_the_id_and_is_one_item"),
    "P06": (VAULT, "test_p06_what_is_under_way_is_left_alone_and_reported"),
    "P07": (HOLD, "test_a_purge_takes_one_item_and_follows_no_link"),
    "P08": (VAULT, "test_p08_what_lies_there_long_is_due_for_review_and_stays"),
    **dict.fromkeys(["T01", "T02"], (RUNS, "test_t01_and_t02_a_move_is_told_and_a_dry_run_is_not")),
    "T03": (PASS, "test_one_group_only_warns_and_names_the_count"),
    **dict.fromkeys(["T04", "T23"], (PASS, "test_a_lock_file_alone_names_no_place_and_is_told_once")),
    "T05": (PASS, "test_hits_of_every_kind_are_counted_apart"),
    "T06": (GATE, "test_the_threshold_is_always_one_to_three"),
    "T07": (LAYERS, "test_the_threshold_is_clamped_and_says_so"),  # out of bounds is clamped and told, and no error
    "T08": (LAYERS, "test_a_quarantine_block_without_dry_run_is_a_dry_run"),
    "T09": (E2E, "test_a_projects_own_settings_cannot_have_anything_moved"),
    "T10": (RUNS, "test_t10_a_dry_run_of_ones_own_holds_over_a_live_system"),
    "T11": (E2E, "test_a_pass_that_breaks_off_moves_nothing_and_the_sync_stands"),
    "T12": (RUNS, "test_t12_three_reports_of_one_source_are_one_voice"),
    "T13": (RUNS, "test_t13_two_independent_groups_that_are_vouched_for_are_enough"),
    "T15": (RUNS, "test_t15_a_list_without_a_signature_from_its_own_place_and_a_record_of_malice_are_two"),
    "T16": (RUNS, "test_t16_before_anything_was_looked_at_nothing_is_found_and_that_is_said"),
    "T17": (PASS, "test_a_package_that_two_groups_name_is_held_and_nothing_else_is"),
    "T18": (RUNS, "test_t18_one_record_among_rubbish_is_one_hit"),
    "T19": (PASS, "test_a_thousand_changes_are_told_and_the_rest_is_counted"),
    "T20": (RUNS, "test_t20_a_secret_in_what_is_said_of_a_package_stays_out_of_the_ledger"),
    "T21": (RUNS, "test_t21_when_the_breaker_trips_a_person_is_told_first_what_waits"),
    "T22": (PASS, "test_what_lies_there_now_is_looked_at_before_a_move"),
    "T24": (RUNS, "test_t24_what_is_corroborated_is_watched_though_nothing_may_be_moved"),
    "T25": (RUNS, "test_t25_targets_that_make_no_sense_are_written_anew"),
    "T26": (RUNS, "test_t26_a_target_is_one_place_and_not_everything_of_a_name"),
    "T27": (PASS, "test_the_same_name_in_two_ecosystems_is_two_targets"),
    "R20": (PROMOTE, "test_what_a_label_had_taken_is_put_back_like_anything_else"),
    "T14": (PROMOTE, "test_one_critical_source_that_blocks_is_still_watch_weight_here"),
    "T28": (PROMOTE, "test_a_label_of_few_groups_moves_nothing_and_least_of_all_another_version"),
    "T29": (PROMOTE, "test_a_persons_label_obeys_the_same_gate"),
    "T30": (PROMOTE, "test_switched_off_nothing_is_kept_and_nothing_follows"),
    "T31": (CORPUS, "test_t31_a_package_is_split_at_the_first_colon"),
    **dict.fromkeys(["C01", "C02"], (CORPUS, "test_c01_and_c02_a_confirmation_resolves_and_nothing_else_does")),
    "C03": ("unit/corpus/test_labels", "test_was_correct"),
    "C04": (CORPUS, "test_c04_how_sure_each_ground_is"),
    "C05": (CORPUS, "test_c05_what_was_allowed_once_is_clean_after_a_month"),
    "C06": (CORPUS, "test_c06_what_happened_twice_is_never_clean_by_itself"),
    "C07": (CORPUS, "test_c07_a_time_that_cannot_be_is_never_clean"),
    "C08": (REAL, "test_a_miss_confirms_nothing"),
    "C09": (REAL, "test_a_benign_command_is_no_event_and_a_warned_one_stays_unresolved_for_ever"),
    "C10": ("unit/corpus/test_batch", "test_ten_runs_add_nothing_after_the_first"),
    "C11": (REAL, "test_the_identity_is_taken_when_it_is_decided"),
    "C12": (CORPUS, "test_c12_lines_that_are_none_are_passed_over", "test_c12_no_bytes_break_an_import"),
    "C13": (CORPUS, "test_c13_what_a_deadline_cuts_off_has_done_the_oldest_first"),
    "C14": (CORPUS, "test_c14_what_is_too_large_is_left_out_and_counted"),
    "C15": (CORPUS, "test_c15_a_corpus_that_cannot_be_written_changes_no_answer"),
    "C16": ("unit/corpus/test_intake", "test_a_secret_does_not_enter_even_if_the_ledger_has_it"),
    "C17": (CORPUS, "test_c17_nothing_is_ever_widened_in_scope"),  # there is no deed that widens it
    "C18": (ENVELOPE, "test_there_is_one_action_and_no_way_to_name_another", "test_no_input_makes_another_action"),
    "C19": (CORPUS, "test_c19_version_1_is_the_same_for_the_same_deed"),
    "C20": ("unit/corpus/test_fingerprint", "test_version_2_tells_apart_what_version_1_does_not"),
    "C21": (SALT, "test_of_many_that_start_together_the_first_writer_wins",
            "test_a_malformed_salt_is_an_error_and_stays_as_it_is"),
    "C22": (CORPUS, "test_c22_there_is_one_place_and_no_setting_for_another"),  # no path is configured, none can escape
    "C23": ("e2e/test_corpus", "test_a_second_independent_group_confirms_and_the_very_next_install_is_blocked"),
    "C24": (SEALED, "test_it_is_believed_after_any_number_of_round_trips",
            "test_a_replay_is_refused_whatever_its_bytes_and_a_refused_one_spends_nothing"),
    "C25": (PROMOTE, "test_one_group_warns_of_the_very_next_install_and_two_block_it"),
    "C26": (PROMOTE, "test_two_versions_are_two_entries_and_one_version_is_one"),
    "C27": (PROMOTE, "test_what_expired_is_over_everywhere", "test_withdrawn_by_everybody_it_is_over_after_a_week"),
    "C28": (CORPUS, "test_c28_a_persons_word_stands_and_that_catalogs_disagree_is_noted"),
    "C29": ("unit/corpus/test_store", "test_a_label_that_must_not_be_is_refused_whole"),
    "U02": (HAND, "test_what_has_no_known_place_can_be_acknowledged_and_not_moved"),
    "U03": (SHELF, "test_purge_wants_the_end_of_the_id_and_is_for_good"),
    "U04": (SHELF, "test_the_buttons_of_a_card_are_real_and_selection_is_by_item",
            "test_without_admin_both_say_why_and_nothing_happens"),
    "U05": (HAND, "test_after_p_no_key_but_the_confirming_one_deletes"),
    "U06": (HAND, "test_a_restore_that_fails_names_the_code_that_the_ledger_has"),
    "U07": (HAND, "test_q_leaves_and_claims_nothing_that_was_not_done"),
    "U09": (HAND, "test_a_scan_from_the_palette_ends_when_it_has_ended_and_not_by_its_ticks"),
    "U10": (HAND, "test_enter_asks_and_never_switches_and_without_admin_only_the_cursor_moves",
            "test_steps_out_of_order_are_refused_and_what_is_saved_is_recorded"),
    "U11": ("pilot/test_config", "test_a_file_that_does_not_parse_makes_it_read_only_and_names_the_place"),
    "U13": (HAND, "test_steps_out_of_order_are_refused_and_what_is_saved_is_recorded"),
    "U17": (HAND, "test_below_the_smallest_size_seen_and_quit_still_work_and_no_size_raises"),
    "U20": (HAND, "test_escape_leaves_the_filter_then_clears_it"),
    "U21": (HAND, "test_a_later_note_outlives_the_one_before_it"),
    "U12": ("unit/config/test_edit", "test_only_the_asked_bytes_change"),
    "U14": ("unit/console/test_feed", "test_every_entry_can_be_read_across_pages_and_the_tail_is_never_stale",
            "test_an_altered_body_is_shown_as_one"),  # a line is there whole or not at all: the ledger is no text file
    "U15": (HOSTILE, "test_every_pane_is_inert", "test_every_question_and_toast_is_inert"),
    "U16": (HOSTILE, "test_every_pane_is_inert"),
    "U18": ("pilot/test_shell", "test_an_engine_that_is_down_is_said_on_every_screen",
            "test_a_broken_book_is_named_and_the_other_screens_live"),
    "U19": ("pilot/test_shell", "test_the_gate_locks_by_itself_and_wants_a_word"),
    "E01": (LANDED, "test_a_catalogued_extension_is_held_recorded_and_told"),
    "E02": (LANDED, "test_what_cannot_be_read_is_asked_for_again_then_told_once_and_never_moved"),
    "E03": (LANDED, "test_what_nothing_speaks_against_stays_however_new_and_without_any_store_to_ask"),
    "E04": (LANDED, "test_what_one_organisation_denies_goes_by_the_gate"),
    "E05": (LANDED, "test_what_does_not_lie_in_a_watched_folder_is_not_looked_at"),
    "E06": (LANDED, "test_a_home_behind_a_link_is_made_plain_once"),
    "E07": (LANDED, "test_what_is_no_extension_is_passed_over_in_silence"),
    "E08": (LANDED, "test_without_an_index_it_says_that_nothing_is_enforced"),
    "E09": (WATCH, "test_ten_thousand_files_are_one_check_after_half_a_second_of_quiet"),
    "E10": (WATCH, "test_a_folder_that_is_not_there_yet_is_picked_up_with_what_is_in_it"),
    "E11": ("unit/responder/test_import", "test_other_records_are_passed_over"),
    "E12": (HERE, "test_a_scan_leaves_one_entry_and_not_one_a_package"),
    "E13": ("unit/responder/test_import", "test_what_is_no_record_is_told_and_the_rest_is_read"),
    "E14": (RUNS, "test_e14_a_scan_that_fails_is_an_error_and_no_empty_success"),
    **dict.fromkeys(["E15", "E16"], (E2E, "test_a_scan_says_what_it_found_and_exits_by_it")),
    "E17": ("unit/responder/test_absence", "test_what_lies_where_it_could_not_be_read_stays"),
    "S01": (FEEDS, "test_s01_a_source_is_due_at_its_time_and_not_a_minute_before"),
    "S02": (FEEDS, "test_s02_nothing_new_is_as_good_as_news"),
    "S03": ("e2e/test_catalogs_hostile", "test_what_cannot_be_had_changes_nothing"),
    **dict.fromkeys(
        ["S04", "S05"], (FEEDS, "test_s04_and_s05_both_versions_of_one_package_in_a_feed_of_the_newer_schema")
    ),
    "S06": (LAYERS, "test_a_sync_interval_out_of_bounds_is_refused_and_not_bent"),
    "S07": ("unit/catalogs/test_sanity", "test_what_news_may_do"),
    "S08": ("unit/catalogs/test_sanity", "test_first_news_is_exempt_from_what_compares"),
    "S09": ("e2e/test_catalogs_hostile", "test_news_that_is_too_much_waits_for_a_person"),
    "S10": ("e2e/test_own", "test_every_sync_asks_for_the_list_too"),
    "S11": (E2E, "test_a_crate_in_a_tree_as_cargo_leaves_it_goes_alone_and_comes_back"),
    "S12": ("unit/service/test_life", "test_the_log_turns_over_and_stays_small"),
    "S13": ("unit/catalogs/test_status", "test_before_anything_was_asked"),
    "S14": ("unit/catalogs/test_backoff", "test_failures_double_the_wait_up_to_six_hours"),
    "S15": ("unit/intel/test_sources_bumblebee", "test_catalogs_are_brought_as_the_listing_names_them"),
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
NO_SENSOR = "there is no sensor whose alerts it is about: "
LATER = {
    "U01": NO_SENSOR + "one would come before a held item",
    "U08": NO_SENSOR + "old ones in a log would raise nothing",
}


def test_every_scenario_has_its_test_or_its_place() -> None:
    every = {f"{letter}{number:02}" for letter, most in SECTIONS.items() for number in range(1, most + 1)}
    assert len(every) == 192
    assert every == set(SHOWN) | set(LATER)
    assert not set(SHOWN) & set(LATER)


def test_the_tests_that_are_named_are_collected() -> None:
    """By the word of pytest itself, the long ones too: a name that is only written somewhere is no test."""
    files = sorted({f"tests/{file}.py" for file, *_ in SHOWN.values()})
    words = ["-m", "pytest", "--collect-only", "-q", "--no-header", "-p", "no:cacheprovider", "-m", "", *files]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert {f"tests/{file}.py::{name}" for file, *names in SHOWN.values() for name in names} - found == set()


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
