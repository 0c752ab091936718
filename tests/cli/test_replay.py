"""`tuan replay` against a running API: a made-up log that holds every kind of line."""

import http.client
import json
import re
import subprocess
from pathlib import Path

import pytest

from cli.replay.log import UnreadableLog, read_logs
from cli.replay.plan import Item
from tests.cli.conftest import Serving, serving
from tests.house.running import free_port, tuan

LIFETIME = ("--lifetime", "2")

# Item 7 has groups of two and of four: the smaller one ends at its deadline, the larger when it is full.
LINES = "11\t7\t12\n13\t7\t14\t15\t11\n11\t8\n12\t9\t11\n15\t7\n12\t9\t14\n"
# Item, its largest group, participants.
SUCCEEDED = ((7, 4, 2), (7, 4, 4), (9, 2, 2), (9, 2, 2))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("replay") / "log.tsv"
    file.write_text(LINES)
    return file


@pytest.fixture(scope="module")
def played(api: Serving, log: Path) -> "subprocess.CompletedProcess[str]":
    """The log, played once."""
    made = replay(api, str(log))
    assert made.returncode == 0, made.stdout + made.stderr
    return made


def replay(api: Serving, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return tuan("replay", *LIFETIME, *arguments, **api.environment)


def row(output: str, name: str) -> list[int]:
    """The numbers of a row of the final table."""
    line = next(line for line in output.splitlines() if line.strip().startswith(name))
    return [int(number) for number in re.findall(r"\d+", line.replace(",", ""))]


def test_every_outcome_is_as_the_log_says(played: "subprocess.CompletedProcess[str]") -> None:
    """Groups with friends succeed, full or at their deadline, lonely ones fail, and each pays what the tiers say."""
    assert row(played.stdout, "groups opened") == [6, 6]
    assert row(played.stdout, "friends joined") == [6, 6]
    assert row(played.stdout, "groups succeeded") == [4, 4]
    assert row(played.stdout, "groups failed") == [2, 2]
    assert "mismatches: 0" in played.stdout


def test_the_money_is_followed_to_the_last_cent(played: "subprocess.CompletedProcess[str]") -> None:
    """Ten places of four succeeded groups: what shoppers' orders and the merchant's statement say is what they owe."""
    due = [Item(item, size).unit_price(participants) * participants for item, size, participants in SUCCEEDED]
    taken = f"{sum(due) / 100:.2f} CNY"
    assert re.search(rf"money taken +{re.escape(taken)} +{re.escape(taken)} *$", played.stdout, re.MULTILINE)
    assert re.search(r"10 payments captured, .* after the closing by: p50 \d", played.stdout)
    assert row(played.stdout, "merchant's statement")[0] == 1


def test_where_no_money_is_taken_it_follows_none(api: Serving, log: Path, tmp_path: Path) -> None:
    """Against an API without a payment gateway the outcomes are checked as ever, and that is said."""
    with serving(api.environment | {"TUAN_PAYMENT_GATEWAY": "none"}, tmp_path) as without_gateway:
        played = replay(without_gateway, str(log))

    assert played.returncode == 0, played.stdout + played.stderr
    assert "take no money" in played.stdout
    assert "mismatches: 0" in played.stdout
    assert "money taken" not in played.stdout


@pytest.mark.usefixtures("played")
def test_a_second_replay_is_played_by_new_people(api: Serving, log: Path) -> None:
    """The same log can be played again on the same server: nobody is in a group already."""
    assert replay(api, str(log)).returncode == 0


def test_the_limit_counts_lines_of_each_file(api: Serving, log: Path, tmp_path: Path) -> None:
    """`--limit 2` of two files plays four groups, and what comes after is not even read."""
    lonely = tmp_path / "failed.tsv"
    lonely.write_text("21\t7\n22\t7\nnonsense\n")

    played = replay(api, "--limit", "2", str(log), str(lonely))

    assert played.returncode == 0, played.stdout + played.stderr
    assert row(played.stdout, "groups succeeded") == [2, 2]
    assert row(played.stdout, "groups failed") == [2, 2]


def test_a_malformed_line_is_named_before_anything_is_sent(api: Serving, tmp_path: Path) -> None:
    """One clear line with file and line number, exit status 2, and no deal was created for the lines before it."""
    file = tmp_path / "broken.tsv"
    file.write_text("1\t2\t3\n1\t2\tx\n4\t5\t6\n")
    deals_before = deals(api)

    refused = replay(api, str(file))

    assert refused.returncode == 2
    assert refused.stderr == (
        f"tuan: {file}:2: 'x' is no number of a user or an item;"
        " a line is initiator TAB item [TAB participant ...], each a whole number.\n"
    )
    assert deals(api) == deals_before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty"),
        (b"1", "item is missing"),
        (b"1 2 3", "no number"),
        (b"1\t2\t-3", "no number"),
        (b"1\t2\t", "no number"),
        (b"1\t2\t3\t3", "twice"),
        (b"1\t2\t1", "twice"),
        (b"1\t" + b"9" * 19, "no number"),
        ("1\t2\t\N{FULLWIDTH DIGIT ONE}".encode(), "no number"),
        (b"\xff\xfe1\t2", "no number"),
    ],
)
def test_every_kind_of_malformed_line_is_found(tmp_path: Path, line: bytes, reason: str) -> None:
    """What is no group is never guessed at: the reason and the line's number are told."""
    file = tmp_path / "broken.tsv"
    file.write_bytes(b"1\t2\t3\n" + line + b"\n4\t5\t6\n")

    with pytest.raises(UnreadableLog, match=rf"broken\.tsv:2: .*{reason}"):
        read_logs([file])


def test_files_run_side_by_side(tmp_path: Path) -> None:
    """A short file is spread over the whole length of a long one, and each keeps its own order; CRLF is no fault."""
    long, short = tmp_path / "long.tsv", tmp_path / "short.tsv"
    long.write_text("".join(f"{number}\t1\r\n" for number in range(8)))
    short.write_text("100\t1\n101\t1")

    assert [group.initiator for group in read_logs([long, short])] == [0, 100, 1, 2, 3, 4, 101, 5, 6, 7]


def test_an_empty_log_is_refused(tmp_path: Path) -> None:
    """Nothing to replay is no success."""
    file = tmp_path / "empty.tsv"
    file.write_bytes(b"")

    with pytest.raises(UnreadableLog, match="no line to replay"):
        read_logs([file])


def test_a_file_that_is_not_there_is_refused(api: Serving, tmp_path: Path) -> None:
    """A wrong path ends with one line that names it."""
    refused = replay(api, str(tmp_path / "nowhere.tsv"))

    assert refused.returncode == 2
    assert refused.stderr == f"tuan: {tmp_path / 'nowhere.tsv'} cannot be read: No such file or directory.\n"


def test_no_api_is_one_clear_line(log: Path, tmp_path: Path) -> None:
    """Where nothing listens: what to do next, and exit status 2."""
    refused = tuan("replay", str(log), TUAN_DATA_DIR=str(tmp_path), TUAN_PORT=str(free_port()))

    assert refused.returncode == 2
    assert re.fullmatch(r"tuan: No API answers at http://127\.0\.0\.1:\d+: .*`make run`.*\n", refused.stderr)


def test_a_key_the_api_does_not_trust_is_one_clear_line(api: Serving, log: Path, tmp_path: Path) -> None:
    """Tokens signed with another data directory's key: the line says what to change."""
    refused = tuan("replay", str(log), "--url", api.url, TUAN_DATA_DIR=str(tmp_path))

    assert refused.returncode == 2
    assert "401" in refused.stderr
    assert "key" in refused.stderr.splitlines()[-1]


def deals(api: Serving) -> int:
    """How many deals the API shows, up to a page."""
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/v1/deals?limit=100")
        return len(json.loads(connection.getresponse().read())["items"])
    finally:
        connection.close()
