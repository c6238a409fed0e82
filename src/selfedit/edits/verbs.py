"""English past forms and their base forms, from a list: only what stands here is taken for a verb."""

from __future__ import annotations


def _pairs(text: str) -> dict[str, str]:
    return {form: base for form, _, base in (pair.partition(":") for pair in text.split())}


_IRREGULAR = _pairs(
    """
    began:begin became:become came:come went:go made:make took:take gave:give found:find led:lead
    held:hold built:build wrote:write won:win lost:lose left:leave kept:keep fell:fall rose:rise
    grew:grow sent:send said:say saw:see ran:run stood:stand brought:bring bought:buy taught:teach
    fought:fight sought:seek met:meet paid:pay drew:draw spoke:speak spent:spend flew:fly chose:choose
    broke:break drove:drive wore:wear sold:sell told:tell felt:feel meant:mean knew:know
    understood:understand overcame:overcome withdrew:withdraw underwent:undergo arose:arise sang:sing
    sank:sink swam:swim struck:strike hid:hide forbade:forbid bore:bear swore:swear shot:shoot
    slept:sleep dealt:deal burnt:burn learnt:learn
    """
)
_PARTICIPLES = _pairs(
    """
    written:write given:give taken:take known:know chosen:choose broken:break driven:drive drawn:draw
    grown:grow seen:see shown:show born:bear begun:begin flown:fly thrown:throw spoken:speak worn:wear
    stolen:steal forbidden:forbid beaten:beat eaten:eat fallen:fall risen:rise hidden:hide sung:sing
    sunk:sink done:do gone:go
    """
)
_WITH_E = """
    abuse accuse achieve acquire activate advance advocate agree announce approve argue arrange arrive
    asphyxiate assassinate assemble associate assume attribute base believe capture cause cease
    celebrate centralize change characterize charge choose circulate cite close collapse colonize
    combine commemorate commence compare compete compile complete compose comprise compute conceive
    conclude confine constitute continue contribute convince cooperate create criticise criticize damage
    date debate decide declare decline decode decrease dedicate define demonstrate describe designate
    determine dethrone devise devote die diffuse disagree discharge dispose dispute dissolve distribute
    divide dominate donate double elaborate eliminate emerge emphasise emphasize enable enclose encode
    encourage engage enlarge ensure entitle erase escape estimate evacuate evolve examine excavate
    exchange excite excuse execute experience expire explode explore expose face feature finance fire
    force generate graduate guarantee guide hire house ignite ignore illustrate imagine impose improve
    inaugurate include incorporate increase indicate industrialize influence initiate inspire institute
    integrate introduce invade invite involve isolate issue judge leave liberate like live
    locate manage manufacture measure merge migrate modernize motivate move name nationalize negotiate
    nominate note notice observe operate oppose organise organize originate outline oversee pause
    persuade phase place pledge plunge popularize populate praise prepare preserve produce promise
    promote propose prove provide publicize purchase pursue quote raise range realise realize receive
    recognise recognize reduce refine refuse regulate reinforce relate release relocate remove renovate
    replace reproduce require rescue resemble reside resolve restore restructure retire retrieve reuse
    revise rule save schedule score secure separate serve settle shape share simulate stabilize stage
    standardize state store struggle subscribe substitute suppose survive telephone terminate terrorize
    tie trace trade translate treate triple trouble undermine unite use utilize vote welcome
"""
_WITHOUT_E = """
    absorb accept account act adapt add address adjust adopt affect allow appear appoint approach arrest
    ask assault assign assist attack attain attempt attend attract award belong benefit board bomb
    borrow call campaign cancel cast claim climb collect command comment commission compet complain
    concern conduct confirm connect conquer consider consist construct contain contract convert convict
    cool cover crash credit cross crown defeat defend demand depart depend deploy deposit design destroy
    detect develop direct disappear discover discuss display distort draft drop earn edit elect employ
    enact end enjoy enter erect establish exceed exhibit exist expand expect experiment explain exploit
    export express extend extract fail favor favour feel fill film finish fix flourish follow form
    foster found fund gain gather govern grant greet hand happen head help highlight host hunt implement
    import inform inherit insist inspect install insult intend interpret invent invest join jump kick
    kill knock lack land last launch limit link list look maintain mark market match mention mix
    murder need number obtain occur offer open orbit order overturn own paint park pass perform pick
    plant play plunder point post predict present press prevent print proceed proclaim profit prohibit
    protect protest pull push rain rank reach react recall record recover reflect reform regain
    reign reject remain remind render rent repair repeat report represent request resign resist resort
    respond restrict result retain return reveal review reward sack select shift sign spark sponsor
    staff start stay stress subject succeed suffer suggest support surrender surround survey
    suspect sustain talk target tend test thank threaten tour train transform transport travel treat
    trigger turn uncover view visit walk want warn wash watch weigh wish witness work yield
"""
_DOUBLING = """
    admit ban commit control drop equip occur permit plan prefer refer rob ship stop submit transfer
    transmit fit
"""
_Y = """
    carry occupy study apply deny reply supply try marry bury vary identify classify ratify unify
    justify qualify
"""


def _regular() -> dict[str, str]:
    forms = {f"{verb}d": verb for verb in _WITH_E.split()}
    forms |= {f"{verb}ed": verb for verb in _WITHOUT_E.split()}
    forms |= {f"{verb}{verb[-1]}ed": verb for verb in _DOUBLING.split()}
    forms |= {f"{verb[:-1]}ied": verb for verb in _Y.split()}
    return forms


_PAST = _regular() | _IRREGULAR
_FORMS = _PAST | _PARTICIPLES


def base_form(word: str) -> str | None:
    """`established` → `establish`, `written` → `write`; None for a word that is not listed as a past form."""
    return _FORMS.get(word.lower())


def past_base(word: str) -> str | None:
    """As `base_form`, for words that can be a simple past by themselves (`wrote`, not `written`)."""
    return _PAST.get(word.lower())


def _third(base: str) -> str:
    if base[-1] == "y" and base[-2] not in "aeou":
        return f"{base[:-1]}ies"
    return f"{base}es" if base.endswith(("s", "sh", "ch", "x", "go", "do")) else f"{base}s"


_BASES = frozenset(_FORMS.values())
_THIRDS = frozenset(_third(base) for base in _BASES)
_PRESENT = _BASES | _THIRDS | {f"{base.removesuffix('e')}ing" for base in _BASES}


def may_be_present(word: str) -> bool:
    """Whether the word has the shape of a listed verb's present or -ing form (many are nouns as well)."""
    return word.lower() in _PRESENT


def may_be_third(word: str) -> bool:
    """Whether the word has the shape of `occurs`, `carries` (many are plural nouns as well)."""
    return word.lower() in _THIRDS
