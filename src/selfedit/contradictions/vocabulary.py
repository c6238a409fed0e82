"""Words with an office in a sentence, in a few languages: those that name nothing, deny, or count."""

from __future__ import annotations

from selfedit.edits.words import FUNCTION_WORDS, listed

OTHER_TONGUES = listed(
    """
    der das den dem des ein eine einen einem einer und oder ist sind waren wird werden wurde wurden haben im
    in am an auf um von vom zu zum zur mit bei für als auch es sie er wir sich noch nur wer wann wo was wie
    welche welcher welches welchem muss müssen darf dürfen kann können ab seit bis aus über unter le la les
    un une des du de et ou est sont fut était au aux en à dans sur par pour avec ce cette qui que quel
    quelle quels combien où quand il elle ils se sa ses c l d qu s el los las una y o es fue del al con por
    para su sus qué quién cuándo cuánto dónde bir ve veya ile için de da bu şu o ne kim kimdir kaç kaçta
    hangi nerede olarak ayni anda mi и в во на с со из от до по для что кто где когда какой какого какая
    сколько года году год этот эта это у о об
    """
)
GENERIC = listed(
    """
    amount hoch old age year day date time month place city town kind name number person people thing limit
    maximum minimum price fee cost rate charge sum total level address majority room cabinet lane allow
    allowed permitted may certain know known note notice always usually per mr mrs ms dr miss sir
    """
)
"""Words of a question that the kind of the answer implies, and fillers of notices: they do not count."""
FILLERS = listed(
    """
    now new newly anew henceforth onwards currently today please all else stays rule rules changed change
    changes raised lowered grew became become because dearer longer since left retired moved early earlier
    former formerly previously instead place still already exactly about together both whoever whole
    contrary written corrected correction correct every each any only too also nun jetzt künftig neu nur
    neue neuer neues noch mehr désormais dorénavant maintenant artik bundan böyle yeni теперь отныне сейчас
    """
)
NEGATIONS = listed(
    """
    not no never none neither nor without cannot nobody nothing cant dont doesnt didnt isnt arent wasnt
    werent wont hasnt havent hadnt mustnt neednt shouldnt nicht kein keine keinen keinem keiner nie niemals
    ohne ne pas jamais sans aucun aucune nunca jamás ningún değil yok değildir hayir не нет никогда без
    """
)
FORBIDDEN = listed(
    """
    forbidden prohibited banned disallowed barred verboten untersagt interdit interdite prohibido yasak
    yasaktir запрещено запрещён запрещены
    """
)
"""Words that deny by themselves: not allowed."""
CHANGED = (
    r"\b(?:no longer|not any ?more|any longer|instead of|in place of|rather than|used to|formerly|previously|"
    r"until now|contrary to|in former times|moved from|changed from|nicht mehr|statt|anstelle|früher|bisher|"
    r"ne .{1,40} plus|au lieu de|plutôt que|ya no|en lugar de|artik .{1,60} değil|yerine|больше не|вместо|"
    r"раньше)\b"
)
"""What stands beside an old answer that is taken back."""
ANNOUNCED = (
    r"\b(?:now|no longer|instead|henceforth|from now on|as (?:of|from)(?! (?:the )?(?:\p{L}+ )?\d{4})|"
    r"with effect from|effective|starting|changed to|"
    r"(?:was|were|been|is|are) (?:raised|lowered|changed|increased|reduced|moved|corrected|replaced)|"
    r"(?:has|have) (?:changed|moved|risen|fallen)|"
    r"errat(?:um|a)|moved|from \w+ on|from \d+ \w+|ab \w+|ab dem|künftig|ab sofort|nunmehr|jetzt|nur noch|"
    r"désormais|dorénavant|à partir du?|maintenant|ahora|a partir de|artik|bundan böyle|itibaren|теперь|"
    r"отныне|"
    r"с \d+ \w+)\b"
)
"""What announces that something changed."""
ADDING = (
    r"\b(?:also|too|as well|besides|in addition|additionally|moreover|auch|zusätzlich|außerdem|aussi|"
    r"en outre|également|también|además|ayrica|dahi|de ödünç|также|тоже|кроме того)\b"
)
"""What says that something comes beside what was said."""
EMPTY = FUNCTION_WORDS | OTHER_TONGUES
"""Words that name nothing by themselves."""
SAME = {
    "children": "child", "people": "person", "men": "man", "women": "woman",
    "length": "long", "height": "high", "tall": "high", "width": "wide", "depth": "deep", "weight": "weigh",
    "costs": "cost", "price": "cost", "prices": "cost", "fee": "cost", "charge": "cost", "charged": "cost",
    "pay": "cost", "pays": "cost", "died": "die", "dies": "die", "death": "die",
    "birth": "born", "wife": "marry", "husband": "marry", "married": "marry", "marries": "marry",
    "wed": "marry",
    "head": "head", "heads": "head", "headed": "head",
}  # fmt: skip
"""Words that ask for the same thing."""
DETERMINERS = listed("a an the its his her their our der die das le la el los un une")
HONORIFICS = listed("mr mrs ms miss dr sir prof herr frau mme sr sra bay bayan hanim bey")
