import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engine.globs import Rules
from agent.plans.plan import Kind, Plan, Plans, parse, write
from agent.plans.presets import LINES, Preset
from shared.domain.errors import Malformed

# No surrogates and no NUL: no TOML file can bring them.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)
plans = st.builds(
    Plan,
    paths=st.lists(texts.map(lambda text: f"/{text}"), min_size=1, max_size=3).map(tuple),
    exclude=st.lists(texts, max_size=3).map(tuple),
    presets=st.lists(st.sampled_from(Preset), max_size=2).map(tuple),
    schedule=st.sampled_from(["daily 22:00", "*/5 * * * *"]),
    kind=st.sampled_from(Kind),
    spread_minutes=st.integers(0, 1440),
    threads=st.integers(1, 64),
    vault=texts,
)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)


@given(known=st.dictionaries(names, plans, max_size=3))
def test_plans_are_read_as_they_were_written(known: dict[str, Plan]) -> None:
    assert parse(write(Plans(plan=known))) == Plans(plan=known)


def test_a_file_that_somebody_wrote_is_read() -> None:
    [plan] = parse("""
        [plan.home]
        paths = ["/home", "/etc"]
        exclude = ["*.iso", "!keep.iso"]
        presets = ["caches", "temporary"]
        schedule = "weekly sunday 03:00"
        kind = "active_full"
    """).plan.values()
    assert (plan.kind, plan.paths, plan.spread_minutes) == (Kind.ACTIVE_FULL, ("/home", "/etc"), 60)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[plan.home]\npaths = ['home']\nschedule = 'hourly'", "plan.home.paths"),
        ("[plan.home]\npaths = []\nschedule = 'hourly'", "plan.home.paths"),
        ("[plan.home]\npaths = ['/']\nschedule = 'now and then'", "plan.home.schedule"),
        ("[plan.home]\npaths = ['/']\nschedule = 'hourly'\nkind = 'full'", "plan.home.kind"),
        ("[plan.home]\npaths = ['/']\nschedule = 'hourly'\nexcludes = []", "plan.home.excludes"),
        ("[plan.'My Home']\npaths = ['/']\nschedule = 'hourly'", "plan.My Home"),
        ("format = 2", "format"),
        ("[plan", "plans"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        parse(text)


@pytest.mark.parametrize(
    ("lines", "path", "out"),
    [
        (("*.tmp",), b"home/a.tmp", True),
        (("*.tmp", "!keep.tmp"), b"home/keep.tmp", False),
        (("/home/*/x/",), b"home/anna/x", True),
        (("cache/",), b"home/cache", True),
        (("/etc",), b"home/etc", False),
        (("*\udcff",), b"home/\xff", True),
    ],
)
def test_excludes_are_read_like_a_gitignore(lines: tuple[str, ...], path: bytes, out: bool) -> None:
    assert (Rules.of((), (), lines).leaves_out(path, folder=True) is not None) is out


def test_a_line_that_cannot_be_is_refused() -> None:
    with pytest.raises(Malformed, match="exclude"):
        Rules.of((), (), ("a\\",))


@pytest.mark.parametrize("preset", Preset)
def test_presets_leave_out_what_they_name_and_take_documents(preset: Preset) -> None:
    rules = Rules.of((), (), LINES[preset])
    assert rules.leaves_out(b"home/anna/Documents/letter.odt", folder=False) is None
    named = {Preset.CACHES: b"home/anna/.cache", Preset.TEMPORARY: b"tmp", Preset.BUILDS: b"srv/node_modules"}
    assert rules.leaves_out(named.get(preset, b"proc"), folder=True)
