"""Templates in YAML: variables of the environment are filled in, and nothing runs."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, TemplateSyntaxError, nodes

from idr_assets.components.templates import ALLOWED, RUNNING
from idr_assets_tests.support.image_project import ImageProject

RUNS = "{{ cycler.__init__.__globals__.os.system('touch MADE') }}"
REFUSED = [
    RUNS,
    "{{ env.HOME }}" + RUNS,
    "{{ env.HOME.__class__ }}",
    "{{ env.__class__ }}",
    "{{ env('HOME', cycler) }}",
    r"{{ env('a\\', '') ~ cycler ~ ('') }}",
    "{{ env.HOME }}{% set a = cycler %}",
    "{{ env.HOME }}{# nothing #}",
    "{{ env.HOME | upper }}",
]


@pytest.mark.parametrize("template", REFUSED)
def test_a_template_that_could_run_code_is_refused_with_the_remedy(tmp_path: Path, template: str) -> None:
    project, made = ImageProject(tmp_path / "project"), tmp_path / "made"
    text = template.replace("MADE", str(made))
    project.write(level='"' + text.replace("\\", "\\\\") + '"')
    message = project.refusal()
    assert f"{text} in attributes.level is a template that could run code" in message
    assert "for an environment variable write {{ env.NAME }} or {{ env('NAME', 'default') }}" in message
    assert not made.exists()


POST_PROCESSING = "post_processing: {{assets: [{{target: '*', attributes: {{{}}}}}]}}\n"


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ('owners: ["{}"]', RUNS),
        ('metadata: {{a: [1, {{b: "{}"}}]}}', "{{ env.HOME.__class__ }}"),
        ('tags: {{a: "{}"}}', "{% set a = cycler %}"),
        (r'tags: {{a: "{}"}}', r"\x7b{ cycler }}"),
        ('"{}": 1', "{{ cycler }}"),
    ],
)
@pytest.mark.parametrize("component", ["image", "dask"])
def test_a_template_beside_the_attributes_is_refused_too(
    tmp_path: Path, component: str, attributes: str, text: str
) -> None:
    project, made = ImageProject(tmp_path / "project"), tmp_path / "made"
    project.write()
    with (project.package / "defs" / component / "defs.yaml").open("a") as yaml:
        yaml.write(POST_PROCESSING.format(attributes.format(text.replace("MADE", str(made)))))
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        project.load().resolve_all_asset_specs()
    assert "in post_processing is a template that could run code" in str(raised.value.__cause__)
    assert not made.exists()


def test_post_processing_without_code_is_dagsters_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ImageProject(tmp_path / "project")
    project.write()
    monkeypatch.setenv("TEAM", "team:imaging")
    with project.yaml.open("a") as yaml:
        yaml.write(POST_PROCESSING.format('owners: ["{{ env.TEAM }}"], tags: {kept: "yes"}'))
    for spec in project.load().resolve_all_asset_specs():
        assert (spec.owners, spec.tags["kept"]) == (["team:imaging"], "yes")


@pytest.mark.parametrize(
    "template",
    ["{{ env.HOME }}", "{{env.HOME}}", "{{ env('A') }}", "{{ env('A', 'b://c/{image_id}') }}", '{{ env("A") }}'],
)
def test_variables_of_the_environment_are_allowed(template: str) -> None:
    assert ALLOWED.fullmatch(template)


PIECES = [*"'\"\\\n\r\x85 ,()-~", "{{", "}}", "{%", "%}", "{#", "#}", "|upper"]
PIECES += ["env", ".HOME", ".__class__", "cycler", "raw", "endraw", "{", "%"]
text = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
quoted = st.builds("{0}{1}{0}".format, st.sampled_from("'\""), text)
templates = st.builds("{{{{ env({},{}) }}}}".format, quoted, quoted) | st.builds("{{{{env({})}}}}".format, quoted)


def asks_for_variables_only(node: nodes.Node) -> bool:
    match node:
        case nodes.Template(body=parts) | nodes.Output(nodes=parts):
            return all(map(asks_for_variables_only, parts))
        case nodes.Getattr(node=nodes.Name(name="env"), attr=name):
            return not name.startswith("_")
        case nodes.Call(node=nodes.Name(name="env"), args=args, kwargs=[], dyn_args=None, dyn_kwargs=None):
            return all(isinstance(argument, nodes.Const) for argument in args)
    return isinstance(node, nodes.TemplateData)


@settings(max_examples=1000)
@given(st.lists(templates | text | st.just("{{ env.HOME }}"), max_size=4).map("".join))
def test_what_is_allowed_asks_for_variables_only_as_jinja_reads_it(template: str) -> None:
    if not RUNNING.search(ALLOWED.sub("", template)):
        with suppress(TemplateSyntaxError):
            assert asks_for_variables_only(Environment(autoescape=True).parse(template))
