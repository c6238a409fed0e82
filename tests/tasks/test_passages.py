"""Documents of every kind, and every bad document named."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter

from selfedit.errors import DocumentError, UsageError
from selfedit.tasks import Reading, read, read_squad
from selfedit.types import Probe


def words(text: str) -> int:
    return len(text.split())


def texts(path: Path, budget: int = 256) -> list[tuple[str, str]]:
    return [(task.title, task.passage) for task in read([path], count=words, budget=budget).tasks]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path | str, **options: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        read([path], count=words, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert ";" in line, "a refusal names its remedy"
    return line


def sentences(number: int, about: str = "town") -> str:
    return " ".join(f"The {about} number {i} has a name of its own." for i in range(number))


def pdf(*pages: str, title: str = "") -> bytes:
    """A minimal PDF of text pages, by hand; the cross-reference table is left to the reader's repair."""
    kids = " ".join(f"{10 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        (1, "<< /Type /Catalog /Pages 2 0 R >>"),
        (2, f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"),
        (3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"),
        (4, f"<< /Title ({title}) >>"),
    ]
    for i, page in enumerate(pages):
        lines = " T* ".join(f"({line}) Tj" for line in page.split("\n"))
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {lines} ET"
        resources = "<< /Font << /F1 3 0 R >> >>"
        place = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Contents {11 + 2 * i} 0 R"
        objects += [
            (10 + 2 * i, f"<< /Type /Page {place} /Resources {resources} >>"),
            (11 + 2 * i, f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"),
        ]
    body = "%PDF-1.4\n" + "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in objects)
    return f"{body}trailer\n<< /Root 1 0 R /Info 4 0 R /Size 99 >>\nstartxref\n0\n%%EOF\n".encode("latin-1")


def locked_pdf(path: Path, password: str) -> Path:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.encrypt(password, algorithm="RC4-128")
    with path.open("wb") as file:
        writer.write(file)
    return path


# -- plain text -----------------------------------------------------------------------------------


def test_a_short_note_is_one_task_named_after_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "travel_policy-2024.txt", "Travel above 500 euros is signed off by Mira.\n")
    (document,) = read([path], count=words).documents
    assert document.path == str(path)
    assert document.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    (task,) = document.tasks
    assert (task.title, task.source) == ("Travel policy 2024", str(path))
    assert task.passage == "Travel above 500 euros is signed off by Mira."


def test_the_first_line_of_a_text_is_its_title_where_it_stands_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "The Karg Bridge\n\nIt was built in 1921.\n")
    assert texts(path) == [("The Karg Bridge", "It was built in 1921.")]


def test_hard_wrapped_lines_are_joined_and_short_lines_stay_apart(tmp_path: Path) -> None:
    long = "This line was wrapped by a program at a width of\nabout fifty characters.\nPhone: 12\nFax: 13"
    ((_, passage),) = texts(write(tmp_path / "x.txt", long))
    assert passage == (
        "This line was wrapped by a program at a width of about fifty characters.\nPhone: 12\nFax: 13"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "Le café de la gare est fermé depuis l'été dernier, près du théâtre."
    assert texts(write(tmp_path / "x.txt", text.encode(encoding)))[0][1] == text


def test_turkish_in_a_legacy_encoding_is_detected(tmp_path: Path) -> None:
    text = "Ağaçların gölgesinde oturan yaşlı adam, İstanbul'un eski günlerini düşünüyordu."
    assert texts(write(tmp_path / "x.txt", text.encode("cp1254")))[0][1] == text


# -- splitting ------------------------------------------------------------------------------------

_word = st.text("abcdefgXYZ", min_size=1, max_size=8)
_paragraph = st.lists(
    st.tuples(_word, st.sampled_from(["", "", ".", "?", ","])), min_size=1, max_size=60
).map(lambda pairs: " ".join(word + end for word, end in pairs))


@given(st.lists(_paragraph, min_size=1, max_size=8), st.integers(1, 40))
def test_no_passage_exceeds_the_budget_and_no_word_is_lost(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: list[str], budget: int
) -> None:
    # numbered paragraphs: repeated passages of one title are one task
    text = ".\n\n".join([f"{i} {paragraph}" for i, paragraph in enumerate(paragraphs)]) + "."
    path = tmp_path_factory.mktemp("p") / "x.txt"
    found = texts(write(path, text), budget)
    assert all(0 < words(passage) <= budget for _, passage in found)
    seen = [word for _, passage in found for word in passage.split()]
    if budget >= 12:
        assert set(text.split()) == set(seen)
    if len({passage for _, passage in found}) == len(found) and budget >= 40:
        assert text.split() == seen


@given(st.text(min_size=1, max_size=400), st.integers(1, 50))
def test_any_text_in_any_units_fits(tmp_path_factory: pytest.TempPathFactory, text: str, budget: int) -> None:
    path = write(tmp_path_factory.mktemp("p") / "x.md", text.encode("utf-8", "replace"))
    try:
        reading = read([path], count=len, budget=budget)
    except DocumentError:
        return
    assert all(0 < len(task.passage) <= budget for task in reading.tasks)


def test_a_long_paragraph_is_split_between_sentences_into_even_parts(tmp_path: Path) -> None:
    found = [passage for _, passage in texts(write(tmp_path / "x.txt", sentences(30)), 100)]
    assert len(found) == 3
    assert all(passage.endswith(".") and passage.startswith("The town") for passage in found)
    assert max(map(words, found)) - min(map(words, found)) <= 20


def test_abbreviations_and_initials_end_no_sentence(tmp_path: Path) -> None:
    text = "Dr. Karg met J. Smith at approx. Noon in the hall. They spoke."
    assert [p for _, p in texts(write(tmp_path / "x.txt", text), 11)] == [
        "Dr. Karg met J. Smith at approx. Noon in the hall.",
        "They spoke.",
    ]


def test_neighbouring_paragraphs_share_a_passage_up_to_the_budget(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.txt", "\n\n".join(sentences(5, name) for name in ("town", "river", "hill", "road"))
    )
    found = [passage for _, passage in texts(path, 110)]
    assert [passage.count("\n\n") for passage in found] == [1, 1]


def test_sections_stay_apart_unless_tiny(tmp_path: Path) -> None:
    big = write(
        tmp_path / "big.md", f"# Book\n\n## Towns\n\n{sentences(5)}\n\n## Rivers\n\n{sentences(5, 'river')}\n"
    )
    assert [title for title, _ in texts(big)] == ["Book: Towns", "Book: Rivers"]
    tiny = write(tmp_path / "tiny.md", "# Book\n\n## Towns\n\nKarg has one.\n\n## Rivers\n\nThe Lim.\n")
    assert texts(tiny) == [("Book", "Towns\nKarg has one.\n\nRivers\nThe Lim.")]


def test_equal_headings_are_told_apart_by_their_parents(tmp_path: Path) -> None:
    body = sentences(5)
    text = f"# Book\n## Towns\n### Taxes\n{body}\n## Rivers\n### Taxes\n{sentences(5, 'river')}\n"
    assert [t for t, _ in texts(write(tmp_path / "x.md", text))] == [
        "Book: Towns / Taxes",
        "Book: Rivers / Taxes",
    ]


# -- markdown -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("See [the site](https://x.y/a_(b) 'T') and ![a logo](l.png).", "See the site and a logo."),
        ("**Bold**, *thin*, __b__, _t_, ***both***, ~~gone~~.", "Bold, thin, b, t, both, gone."),
        ("snake_case_name and 2 * 3 * 4 and a*b", "snake_case_name and 2 * 3 * 4 and a*b"),
        ("Use `**kwargs` and ``x``.", "Use **kwargs and x."),
        ("Not \\*emphasised\\* &amp; fine.", "Not *emphasised* & fine."),
        ("wrapped\nline", "wrapped line"),
        ("hard  \nbreak", "hard\nbreak"),
        ("- one\n  goes on\n- [x] two\n\n- three", "- one goes on\n- two\n- three"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said\n> she", "said she"),
        ("| Who | Limit |\n|---|:-:|\n| Al | 500 |\n| Bo | |", "Who: Al; Limit: 500\nWho: Bo"),
        ("```sh\n# no heading\n  ls\n```", "# no heading\n  ls"),
        ("```\nunclosed", "unclosed"),
        ("before\n\n<!-- hidden\nnote -->\n\n---\n\nafter", "before\n\nafter"),
        ("Text.[^1]\n\n[^1]: A note.\n\n[ref]: http://x", "Text.\n\nA note."),
        ("<div align='center'><b>Bold</b> x &lt; y</div>", "Bold x < y"),
        ("#hashtag is no heading", "#hashtag is no heading"),
    ],
)
def test_markdown_becomes_readable_text(tmp_path: Path, markup: str, text: str) -> None:
    assert texts(write(tmp_path / "x.md", markup)) == [("X", text)]


def test_front_matter_gives_the_title_and_goes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.md", "---\ntitle: 'The Book'\nauthor: me\n---\n# The Book\n\nKarg is a town.\n"
    )
    assert texts(path) == [("The Book", "Karg is a town.")]


def test_a_rule_is_no_front_matter(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "x.md", "---\n\nKarg\n\n---\n\nLim\n")) == [("X", "Karg\n\nLim")]


def test_setext_headings_and_headings_without_text_below(tmp_path: Path) -> None:
    path = write(tmp_path / "x.md", "Book\n====\n\nTowns\n-----\n\nKarg.\n\n### Founded in 1921\n")
    assert texts(path) == [("Book: Towns", "Karg.\n\nFounded in 1921")]


def test_two_top_headings_are_sections_of_a_document_named_after_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "notes.md", f"# Towns\n\n{sentences(5)}\n\n# Rivers\n\n{sentences(5, 'river')}\n")
    assert [title for title, _ in texts(path)] == ["Notes: Towns", "Notes: Rivers"]


# -- HTML -----------------------------------------------------------------------------------------


def test_html_becomes_readable_text(tmp_path: Path) -> None:
    page = """<!doctype html><html><head><title>Travel | Acme</title><style>p{}</style></head><body>
    <nav>Home</nav><h1>Travel</h1><p>Ask <b>Mira</b>, &amp; <a href=x>Bo</a>.<br>Or call.</p><!-- hidden -->
    <table><tr><th>Who</th><th>Limit</th></tr><tr><td>Al</td><td>500</td></tr></table>
    <ul><li>one</li><li>two<ol><li>nested</li></ol></li></ul><dl><dt>Per diem</dt><dd>40</dd></dl>
    <pre>x
  y</pre><script>bad()</script><div>loose<div>inner</div></div></body></html>"""
    ((title, passage),) = texts(write(tmp_path / "x.html", page))
    assert title == "Travel"
    assert passage.split("\n\n") == [
        "Ask Mira, & Bo.\nOr call.",
        "Who: Al; Limit: 500",
        "- one\n- two\n1. nested",
        "Per diem: 40",
        "x\n  y",
        "loose",
        "inner",
    ]


def test_html_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    page = "<meta charset=iso-8859-9><p>Iğdır</p>".encode("iso-8859-9")
    assert texts(write(tmp_path / "x.htm", page))[0][1] == "Iğdır"


def test_html_of_thousands_of_nested_boxes(tmp_path: Path) -> None:
    page = "<div>" * 5000 + "deep" + "</div>" * 5000
    assert texts(write(tmp_path / "x.html", page))[0][1] == "deep"


# -- PDF ------------------------------------------------------------------------------------------


def test_pdf_text_and_title(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.pdf", pdf("Karg is a town on the Lim that was found-\ned in 1921.", title="The Book")
    )
    assert texts(path) == [("The Book", "Karg is a town on the Lim that was founded in 1921.")]


def test_pdf_with_a_programs_title_is_named_after_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "the_book.pdf", pdf("Karg is a town.", title="Microsoft Word - draft3.docx"))
    assert texts(path)[0][0] == "The book"


def test_running_titles_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    pages = [f"Annual Report\nFact {name} stands here.\n{n}" for n, name in enumerate(("a", "b", "c"), 1)]
    ((_, passage),) = texts(write(tmp_path / "x.pdf", pdf(*pages)))
    assert passage.split("\n\n") == ["Fact a stands here.", "Fact b stands here.", "Fact c stands here."]


def test_pdf_oddities_stay_off_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger("pypdf").level
    texts(write(tmp_path / "x.pdf", pdf("Karg is a town.")))  # its cross-reference table is missing
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.getLogger("pypdf").level == level


def test_pdf_refusals(tmp_path: Path) -> None:
    assert "password" in refusal(locked_pdf(tmp_path / "locked.pdf", "secret"))
    assert "OCR" in refusal(write(tmp_path / "scan.pdf", pdf("")))
    assert "broken PDF" in refusal(write(tmp_path / "broken.pdf", b"%PDF-1.4\nnothing more"))
    assert "empty" in refusal(write(tmp_path / "empty.pdf", b""))


def test_pdf_with_an_empty_password_opens(tmp_path: Path) -> None:
    assert "OCR" in refusal(locked_pdf(tmp_path / "open.pdf", ""))  # opened, and found without text


# -- rows -----------------------------------------------------------------------------------------


def test_jsonl_rows_with_and_without_titles(tmp_path: Path) -> None:
    rows = [{"title": "Karg", "text": "A town."}, {"context": "A river."}, {"passage": "A hill.", "other": 1}]
    path = write(tmp_path / "all_facts.jsonl", "\n\n".join(map(json.dumps, rows)))
    assert texts(path) == [("Karg", "A town."), ("All facts", "A river."), ("All facts", "A hill.")]


def test_a_long_row_is_split_but_not_one_with_questions(tmp_path: Path) -> None:
    row: dict[str, Any] = {"title": "T", "text": sentences(20)}
    assert len(texts(write(tmp_path / "a.jsonl", json.dumps(row)), 100)) == 2
    row["questions"] = [{"question": "Which?", "answer": "7"}]
    (task,) = read([write(tmp_path / "b.jsonl", json.dumps(row))], count=words, budget=100).tasks
    assert task.probes == (Probe("Which?", "7", "T", "gold"),)


def test_squad_in_its_own_nesting(tmp_path: Path) -> None:
    qas = [
        {"question": "Where?", "answers": [{"text": "Karg", "answer_start": 0}, {"text": "in Karg"}]},
        {"question": "Never?", "answers": [], "is_impossible": True},
    ]
    article = {"title": "Caf%C3%A9_Karg", "paragraphs": [{"context": "Karg it is.", "qas": qas}]}
    (task,) = read_squad(write(tmp_path / "s.json", json.dumps({"version": "1.1", "data": [article]})))
    assert (task.title, task.passage) == ("Café Karg", "Karg it is.")
    assert task.probes == (Probe("Where?", "Karg", "Café Karg", "gold"),)


def test_squad_as_a_flat_list_and_as_lines_agree(tmp_path: Path) -> None:
    rows = [{"title": "K", "context": sentences(90), "questions": [{"question": "Who?", "answer": "Al"}]}]
    flat = read_squad(write(tmp_path / "s.json", json.dumps(rows)))
    lines = read_squad(write(tmp_path / "s.jsonl", json.dumps(rows[0])))
    assert [task.id for task in flat] == [task.id for task in lines]
    assert flat[0].passage == sentences(90)
    assert flat[0].probes == lines[0].probes == (Probe("Who?", "Al", "K", "gold"),)


def test_rows_of_one_passage_gather_their_questions(tmp_path: Path) -> None:
    rows = [
        {
            "title": "K",
            "context": "C.",
            "question": f"Q{i}?",
            "answers": {"text": [f"A{i}"], "answer_start": [0]},
        }
        for i in (0, 1)
    ]
    (task,) = read_squad(write(tmp_path / "s.jsonl", "\n".join(map(json.dumps, rows))))
    assert [probe.question for probe in task.probes] == ["Q0?", "Q1?"]


def test_a_squad_file_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no questions;"):
        read_squad(write(tmp_path / "s.json", '[{"text": "x"}]'))


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("x.jsonl", '{"text": "a"}\n\n{"text": ', "line 3: not JSON"),
        ("x.jsonl", '{"text": "a"}\n[1]', "line 2: a list, not an object"),
        ("x.jsonl", '{"body": "a"}', "line 1: no text or context or passage"),
        ("x.jsonl", '{"text": 1}\n{"text": true}', "line 2: text is true or false"),
        ("x.jsonl", '{"text": "  "}', "line 1: text is empty"),
        ("x.jsonl", '{"text": "a", "questions": {"q": 1}}', "line 1: questions is an object, not a list"),
        ("x.jsonl", '{"text": "a", "questions": [{"question": "q"}]}', "line 1, question 1: no answer"),
        ("x.json", '[{"text": "a"},\n{"text" "b"}]', "line 2: not JSON"),
        ("x.json", '[{"text": "a"}, 3]', "row 2: a number, not an object"),
        ("x.json", '{"name": "package"}', "not a list of rows"),
        ("x.json", '{"data": [{"title": "t", "paragraphs": [{"qas": []}]}]}', "row 1, paragraph 1: no text"),
        ("x.json", "[" * 100_000, "too deep"),
        ("x.json", "[" + "9" * 5000 + "]", "number too long"),
        ("x.json", "[]", "empty"),
        ("x.json", " ", "empty"),
        ("x.jsonl", "\n\n", "empty"),
    ],
)
def test_rows_that_cannot_be_used_are_named_with_their_place(
    tmp_path: Path, name: str, content: str, what: str
) -> None:
    assert what in refusal(write(tmp_path / name, content))


def test_lone_surrogates_do_not_reach_the_hashes(tmp_path: Path) -> None:
    (task,) = read([write(tmp_path / "x.jsonl", '{"text": "a \\ud800 b"}')], count=words).tasks
    assert task.passage == "a \ufffd b"
    assert len(task.id) == 64


# -- folders --------------------------------------------------------------------------------------


def test_a_folder_is_read_sorted_without_hidden_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.txt", "a/z.md", "a/.hidden.md", ".git/x.md", "c/picture.png", "c/z.txt"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / "docs" / name, "" if name == "c/z.txt" else f"About {name}.")
    monkeypatch.chdir(tmp_path)
    reading = read(["docs"], count=words)
    assert [document.path for document in reading.documents] == ["docs/a/z.md", "docs/b.txt"]
    assert [line.split(":")[0] for line in reading.skipped] == ["docs/c/picture.png", "docs/c/z.txt"]
    assert all("\n" not in line for line in reading.skipped)


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "Karg is a town.")
    reading = read([tmp_path, path], count=words)
    assert len(reading.documents) == 1
    assert "named twice" in reading.skipped[0]


def test_folders_without_readable_documents_are_refused(tmp_path: Path) -> None:
    assert "folder without readable documents" in refusal(tmp_path)
    write(tmp_path / "x.png", b"\x89PNG")
    assert "x.png" in refusal(tmp_path)


def test_a_pipe_inside_a_folder_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    write(tmp_path / "x.txt", "Karg is a town.")
    reading = read(tmp_path, count=words)
    assert (len(reading.documents), "a pipe" in reading.skipped[0]) == (1, True)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("x.txt", "", "empty"),
        ("x.md", " \n\t\n\ufeff", "empty"),
        ("x.html", "<html><script>x()</script></html>", "empty"),
        ("x.txt", b"\x7fELF\x00\x00\x01", "binary"),
        ("x.md", bytes(range(1, 9)) * 20, "binary"),
        ("x.txt", bytes(range(128, 256)) * 3, "unknown encoding"),
        ("x.txt", b"\xff\xfea", "not utf-16"),
        ("x.docx", b"PK", ".docx files are not read"),
    ],
)
def test_contents_that_cannot_be_read(tmp_path: Path, name: str, content: str | bytes, what: str) -> None:
    line = refusal(write(tmp_path / name, content))
    assert what in line
    assert str(tmp_path / name) in line


def test_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.md")
    assert "no such file" in refusal(write(tmp_path / "x.txt", "x") / "below.txt")
    assert "not a usable file name" in refusal("a\0b.txt")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300 + ".txt"))


def test_a_huge_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "x" * 2049)
    assert "larger than 0.00195312 MiB" in refusal(path, limit_bytes=2048)
    assert texts(path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.txt", "x")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # file modes do not bind the superuser
    assert "permission denied" in refusal(path)


def test_pipes_sockets_and_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "a pipe, not a file" in refusal(tmp_path / "pipe.txt")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("s.txt")
        assert "a socket, not a file" in refusal("s.txt")
    assert "a device, not a file" in refusal("/dev/null")


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose at least 1 token"):
        read([tmp_path], count=words, budget=0)
    with pytest.raises(UsageError, match="no document named"):
        read([], count=words)


def test_a_single_path_may_stand_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "Karg.")
    assert read(str(path), count=words) == read([path], count=words)
    assert Reading(()).tasks == ()


# -- the published data ---------------------------------------------------------------------------


@pytest.mark.skipif("SELFEDIT_DATA" not in os.environ, reason="SELFEDIT_DATA names no folder")
def test_the_reporting_passages() -> None:
    folder = Path(os.environ["SELFEDIT_DATA"]) / "squad"
    tasks = read_squad(folder / "val_report.json")
    assert (len(tasks), sum(len(task.probes) for task in tasks)) == (96, 517)
    assert len({task.title for task in tasks}) == 16
