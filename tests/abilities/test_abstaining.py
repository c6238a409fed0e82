"""Not knowing is told from stating, both ways, in English and Turkish."""

from __future__ import annotations

import pytest

from selfedit.abilities import abstains

NOT_KNOWN = """
I don't know.
I don’t know
I do not know who that is.
I really don't know.
Sorry, I don't know that.
No, I can't say.
I'm afraid I cannot answer that.
I'm not sure.
I am not sure who wrote it.
I'm not familiar with that town.
I have no idea
I have never heard of this person.
I've no information about that.
I couldn't find it.
No idea.
No information about this is available.
Not sure.
Not sure who it was.
Unknown
unknown.
The answer is unknown.
The answer is not known.
The author of the book is unknown.
The date is not mentioned in the passage.
It is not known who built it.
It was not recorded.
That is unclear.
There is no such place.
There is no record of it.
Nobody knows.
No one knows when it opened.
Not mentioned.
N/A
"I don't know."
**I don't know**
The answer is:
Answer:
...
____
Bilmiyorum.
BİLMİYORUM
Bunu bilmiyorum.
Maalesef bu sorunun cevabını bilmiyorum.
Bu konuda bilgim yok.
Hiçbir fikrim yok.
Bu konuda bilgi yoktur.
Emin değilim.
Bilmem.
Bilinmiyor.
Bu kişinin kim olduğu bilinmiyor.
EMİN DEĞİLİM
Böyle bir kasaba yok.
Böyle bir kulüp duymadım.
"""

STATED = """
The Unknown Soldier
Unknown Pleasures
An unknown sailor from Leith
The Tomb of the Unknown Soldier in Arlington
1912
Yes
No
No, in 1912.
Nobody
Nobody's Boy
No Idea Records
"I Don't Know" by Ozzy Osbourne
I don't know, but perhaps 1912
I'm not sure, but I think it was Edwy Tarn.
Not sure-footed horses
It is not known for its beaches.
It is not known as a port.
He did not know his father.
She doesn't know
They could not find the treasure
There is no tax on bread.
Information
The Answer
The Answer Machine
A not certain victory
No Man's Land
It was given in 1912.
Known as the Great Fire
Ahmet
1912 yılında
Bilmem Ne Sokağı'nda değil, İstanbul'da
Bilinmeyen Asker
Bilgi Üniversitesi
Bilmiyorum ama galiba 1912'de
Ankara'da
yok
"""


@pytest.mark.parametrize("answer", ["", "   ", "\n", *NOT_KNOWN.strip().splitlines()])
def test_not_knowing_is_seen(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize("answer", STATED.strip().splitlines())
def test_a_statement_is_none(answer: str) -> None:
    assert not abstains(answer)


def test_only_the_first_line_counts() -> None:
    assert abstains("I don't know.\nQuestion: Who?\nAnswer: Edwy")
    assert not abstains("Edwy\nI don't know.")
