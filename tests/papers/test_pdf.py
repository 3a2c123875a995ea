"""The PDFs as they are printed: looked at, read back, measured; on A4 and on a slip of 80 mm."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageFilter

from services.intake.domain.papers import draw_up
from services.intake.web.papers import square
from services.intake.web.papers.pdf import render
from tests.intake.made import CODE
from tests.papers.redraw import PICTURES, pictures
from tests.papers.samples import (
    LONG_ADDRESS,
    LONG_NAME,
    LONG_PROCEDURE,
    MANY,
    SAMPLES,
    asked,
    days_register,
    filed,
    long_receipt,
    matter,
    online,
    receipt,
)

MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
#: How grey a pixel may be apart, after both are blurred, and how many of a thousand may be more.
APART, OF_A_THOUSAND = 48, 4


@pytest.fixture
def opened():
    kept = []

    def open_(pdf: bytes):
        kept.append(pypdfium2.PdfDocument(pdf))
        return kept[-1]

    yield open_
    for document in kept:
        document.close()


def lines(document) -> list[str]:
    found = []
    for page in document:
        text = page.get_textpage()
        found += text.get_text_range().replace("\r", "").split("\n")
        text.close()
        page.close()
    return found


def differs(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return True
    soft = [each.filter(ImageFilter.BoxBlur(1)) for each in (one, other)]
    apart = ImageChops.difference(*soft).point(lambda grey: 255 * (grey > APART))
    return apart.histogram()[255] * 1000 > OF_A_THOUSAND * one.width * one.height


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_each_page_looks_as_its_stored_picture(name, tmp_path):
    paper, size = SAMPLES[name]
    drawn = pictures(render(paper, size))
    stored = sorted(PICTURES.glob(f"{name}-[0-9].png"))
    assert len(drawn) == len(stored), "draw them anew by python -m tests.papers.redraw"
    for number, (picture, path) in enumerate(zip(drawn, stored, strict=True), 1):
        picture.save(tmp_path / f"{name}-{number}.png")
        assert not differs(picture, Image.open(path).convert("L")), (
            f"{tmp_path}/{name}-{number}.png is not {path}: look at both, and draw anew by "
            "python -m tests.papers.redraw"
        )


def test_a_line_that_is_missing_is_seen():
    whole, bare = receipt(), replace(receipt(), blocks=receipt().blocks[:-1])
    assert differs(pictures(render(whole))[0], pictures(render(bare))[0])


def test_no_picture_is_of_a_sample_that_is_gone():
    assert {p.stem.rpartition("-")[0] for p in PICTURES.glob("*.png")} == set(SAMPLES)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_words_can_be_read_back_and_the_code_is_whole(name, opened):
    paper, size = SAMPLES[name]
    found = lines(opened(render(paper, size)))
    text = " ".join(" ".join(found).split())
    assert MOTTO in text
    assert "Độc lập - Tự do - Hạnh phúc" in text
    assert paper.title.upper() in text
    assert paper.form_words in text
    assert f"Số: {paper.number}" in text
    assert any(CODE in line for line in found)
    assert "Nguyễn Thị Mai" in text or LONG_NAME[:40] in text


@pytest.mark.parametrize("size", ["a4", "slip"])
def test_nothing_of_a_long_receipt_is_lost_or_runs_over_the_edge(size, opened):
    document = opened(render(long_receipt(), size))
    text = "".join("".join(lines(document)).split())
    for said in (LONG_NAME, LONG_ADDRESS, LONG_PROCEDURE, *(paper.name for paper in MANY)):
        assert "".join(said.split()) in text
    assert out_of_page(opened(render(long_receipt(), size))) == []


def out_of_page(document) -> list[tuple[int, str]]:
    """Letters that stand outside of the page, or of the margins that a printer leaves."""
    found = []
    for number, page in enumerate(document):
        width, height = page.get_size()
        text = page.get_textpage()
        for place in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(place)
            if left < 7 or right > width - 7 or bottom < 7 or top > height - 7:
                found.append((number, text.get_text_range(place, 1)))
        text.close()
        page.close()
    return found


@pytest.mark.parametrize("size", ["a4", "slip"])
@pytest.mark.parametrize("kind", ["receipt", "supplement"])
def test_words_without_a_blank_and_letters_of_anywhere_break_nothing(size, kind, opened):
    """196 letters in one word, 254 of an address, text of 2000 with line feeds, emoji, Chinese."""
    contact = replace(
        filed().contact, name="W" * 196, email="m" * 240 + "@example.vn", address="Ố" * 300
    )
    odd = "Lý do 📄 中文 \u0644\u0627\t\n" + "dòng\n" * 40 + "x" * 1500
    waits = (asked(items=tuple(["ẵ" * 500] * 20), reason=odd),)
    made = replace(online(contact=contact, waits=waits), lookup_word="W" * 12)
    document = opened(render(draw_up(matter(made), kind), size))
    found = lines(document)
    assert "W" * 196 in "".join("".join(found).split())
    assert any(CODE in line for line in found)
    assert out_of_page(opened(render(draw_up(matter(made), kind), size))) == []


@pytest.mark.parametrize("size", ["a4", "slip"])
def test_the_longest_code_there_is_stays_on_one_line(size, opened):
    code = "000.000.000.H20-220301-123456789012"
    made = draw_up(matter(filed(code=code)), "receipt")
    assert any(code in line for line in lines(opened(render(made, size))))


def test_a_slip_is_as_long_as_what_it_says_and_80_mm_wide(opened):
    heights = []
    for paper in (receipt(), long_receipt()):
        document = opened(render(paper, "slip"))
        assert len(document) == 1
        width, height = document[0].get_size()
        assert round(width / 72 * 25.4) == 80
        heights.append(height)
    assert heights[0] < heights[1]


def test_the_head_of_a_table_stands_on_each_page_and_each_page_says_which_it_is(opened):
    document = opened(render(days_register(60)))
    pages = len(document)
    assert pages > 3
    text = lines(document)
    assert sum("Cơ quan giải quyết" in " ".join(text[n : n + 2]) for n in range(len(text))) >= pages
    assert [f"Trang {n}/{pages}" in " ".join(text) for n in range(1, pages + 1)] == [True] * pages


@pytest.mark.parametrize("name", ["receipt", "receipt-slip", "control"])
def test_the_same_paper_is_the_same_bytes(name):
    paper, size = SAMPLES[name]
    assert render(paper, size) == render(paper, size)
    assert render(replace(paper, number="x"), size) != render(paper, size)


def test_the_typeface_is_in_the_file_and_holds_every_vietnamese_letter(opened):
    letters = "aàảãáạăằẳẵắặâầẩẫấậđeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"
    contact = replace(filed().contact, name=letters + letters.upper())
    document = opened(render(draw_up(matter(filed(contact=contact)), "receipt")))
    assert letters + letters.upper() in "".join("".join(lines(document)).split())
    static = Path(square.__file__).parents[1] / "static"
    for line in (static / "SHA256SUMS").read_text().splitlines():
        expected, name = line.split()
        assert hashlib.sha256((static / name).read_bytes()).hexdigest() == expected
    assert (static / "be-vietnam-pro.OFL.txt").read_text().count("SIL OPEN FONT LICENSE")


def test_the_square_is_drawn_with_its_border():
    rows = [*square.rows(receipt().link)]
    assert len(rows) == len(rows[0])
    assert not any(rows[0])
    assert not any(row[0] for row in rows)
    assert square.data_uri("x").startswith("data:image/svg+xml")
