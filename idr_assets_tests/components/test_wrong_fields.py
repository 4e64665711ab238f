"""What a wrong YAML is told: the file, the line, the field, its value and the remedy."""

from traceback import format_exception

import pytest

from idr_assets_tests.support.image_project import BY_ID, ImageProject

WRONG = [
    # what the YAML says | the field that the error names | the value that it shows | the remedy that it gives
    ({"url": '"  "'}, "url", "'  '", "the address has blanks before or after it; remove them"),
    ({"url": "'http://[bad'"}, "url", "'http://[bad'", "brackets are for a host of IPv6, as in http://[::1]/a.zarr"),
    (BY_ID | {"endpoint": '""'}, "endpoint", "''", "endpoint: Address that contains `{image_id}`"),
    ({"shape": "[200000, 2, 16, 128, 135]"}, "window", "Window(", "t has 200000 indices, more than Dagster can show"),
    ({"window": "{t: [3, 12]}"}, "window", "{'t': [3, 12]}", "the shape has t 0 to 11; end it there or before"),
    ({"window": "{z: [3, 16]}"}, "window", "{'z': [3, 16]}", "the shape has z 0 to 15; end it there or before"),
    ({"window": "{t: [5, 3]}"}, "window.t", "[5, 3]", "starts at 5, after its end 3; write [3, 5]"),
    ({"window": "{t: [-1, 3]}"}, "window.t", "[-1, 3]", "such as [0, 9], or `all`"),
    ({"window": "{z: [0.5, 3]}"}, "window.z", "[0.5, 3]", "such as [0, 9], or `all`"),
    ({"window": "{z: 3}"}, "window.z", "3", "such as [0, 9], or `all`"),
    ({"window": "{t: [true, 3]}"}, "window.t", "[True, 3]", "such as [0, 9], or `all`"),
    ({"window": "{t: [0, yes]}"}, "window.t", "[0, True]", "such as [0, 9], or `all`"),
    ({"window": "{y: [0, 3]}"}, "window.y", "[0, 3]", "choose from: t, z"),
    ({"chanels": "[0]"}, "chanels", "[0]", "choose from: url, image_id, endpoint, storage_options, level"),
    ({"channels": "[2]"}, "channels", "[2]", "channels 0 to 1; name each wanted one once"),
    ({"channels": "[-1]"}, "channels", "[-1]", "channels 0 to 1; name each wanted one once"),
    ({"channels": "[1, 1]"}, "channels", "[1, 1]", "channels 0 to 1; name each wanted one once"),
    ({"channels": "[no]"}, "channels.0", "False", "write the index of a channel, or a name"),
    ({"channels": "[]"}, "channels", "[]", "channels: Channels to segment"),
    ({"level": None}, "level", "{'url': 'source.zarr'", "level: Path of the resolution"),
    ({"level": '""'}, "level", "''", "level: Path of the resolution"),
    ({"level": ""}, "level", "None", "level: Path of the resolution"),
    ({"shape": None}, "shape", "{'url': 'source.zarr'", "shape: Shape of that level"),
    ({"shape": "[2, 16, 128, 135]"}, "shape", "[2, 16, 128, 135]", "shape: Shape of that level"),
    ({"shape": "[12, 2, 0, 128, 135]"}, "shape.2", "0", "greater than 0. shape: Shape of that level"),
    ({"shape": "[true, 2, 16, 128, 135]"}, "shape.0", "True", "valid integer. shape: Shape of that level"),
    (BY_ID | {"image_id": "true"}, "image_id", "True", "valid integer. image_id: ID of the image in the IDR"),
    ({"reading": "{requests: true}"}, "reading.requests", "True", "valid integer. requests: Requests to one host"),
    ({"reading": "{timeout: true}"}, "reading.timeout", "True", "valid number. timeout: Longest time for one request"),
    ({"dtype": "uint17"}, "dtype", "'uint17'", "int64, uint8, uint16, uint32"),
    ({"dtype": "'>u16'"}, "dtype", "'>u16'", "or with byte order such as >u2"),
    ({"dtype": "complex64"}, "dtype", "'complex64'", "pixels have one of int8, int16"),
    ({"url": None}, "url", "{'level'", "set either `url`, or both `image_id` and `endpoint`"),
    ({"url": '""'}, "url", "''", "url: Address of the image"),
    ({"image_id": "1"}, "url", "{'url'", "has url and image_id; set either `url`, or both"),
    (BY_ID | {"endpoint": None}, "url", "{'level'", "has image_id; set either `url`, or both"),
    (BY_ID | {"image_id": None}, "url", "{'level'", "has endpoint; set either `url`, or both"),
    (BY_ID | {"endpoint": "https://127.0.0.1/4.zarr"}, "endpoint", "'https://127.0.0.1/4.zarr'", "write {image_id}"),
    ({"format": '"0.6"'}, "format", "'0.6'", "format: OME-Zarr version of the output, in quotes"),
    ({"format": "0.4"}, "format", "0.4", "Input should be '0.4' or '0.5'. format: OME-Zarr version"),
    ({"upstream": "[my asset]"}, "upstream.0", "'my asset'", "such as `demo/synthetic_embryo`"),
    ({"links": "{IDR: 'javascript:alert(1)'}"}, "links", "{'IDR'", "with https:// or http://"),
    ({"license": "CC BY 4.0"}, "license", "'CC BY 4.0'", "write an SPDX identifier such as CC-BY-4.0"),
    ({"links": "{IDR: '/graphql?query=mutation'}"}, "links", "{'IDR'", "Write the whole address"),
    ({"links": "{IDR: //127.0.0.1/a}"}, "links", "{'IDR'", "could run code in the UI"),
    ({"links": "{IDR: 'https://127.0.0.1/a>![](/b)'}"}, "links", "{'IDR'", "without blanks, quotes and brackets"),
    ({"links": "{IDR: 'https:///graphql'}"}, "links", "{'IDR'", "is no link to a web page"),
    ({"segmentation": "{function: nowhere.at.all}"}, "segmentation.function", "'nowhere.at.all'", "module.function"),
    ({"segmentation": "{function: otsu}"}, "segmentation.function", "'otsu'", "module.function"),
    (
        {"segmentation": "{function: math.otsu}"},
        "segmentation.function",
        "'math.otsu'",
        "'otsu'); write the dotted path",
    ),
    ({"segmentation": "{function: math.pi}"}, "segmentation.function", "'math.pi'", "is a float, not a function"),
    (
        {"segmentation": "{function: builtins.max}"},
        "segmentation.function",
        "'builtins.max'",
        "Write a Python function that calls it, with a line above it: `@per_plane` if it takes one plane (y, x)",
    ),
    (
        {"segmentation": "{function: inspect.getattr_static}"},
        "segmentation.function",
        "'inspect.getattr_static'",
        "Add a line above it: `@per_plane` if it takes one plane (y, x), `@per_volume` if it takes all slices",
    ),
    (
        {"segmentations": "{a: {}}", "segmentation": "{}"},
        "segmentation",
        "{",
        "`segmentations`; move the first into the second",
    ),
    ({"segmentations": "{spots: {}, Spots: {}}"}, "segmentations", "{", "differ only in upper and lower case"),
    ({"segmentations": "{Segmentation: {}}"}, "segmentations", "{", "this name would mix with them; choose another"),
    ({"segmentations": f"{{{'a' * 41}: {{}}}}"}, f"segmentations.{'a' * 41}.[key]", "'a", "at most 40 characters"),
    ({"segmentations": "{../a: {}}"}, "segmentations.../a.[key]", "'../a'", "should match pattern"),
    (
        {"segmentation": "{parameters: {sigmma: 2}}"},
        "segmentation.parameters",
        "{'sigmma': 2}",
        "unexpected keyword argument 'sigmma'; its parameters are: sigma, threshold_fraction",
    ),
    (
        {"segmentation": "{parameters: {sigma: abc}}"},
        "segmentation.parameters",
        "{'sigma': 'abc'}",
        "'abc' as sigma: Input should be a valid number; correct it, or leave it out to use 1.0",
    ),
]


@pytest.mark.parametrize(("fields", "field", "value", "remedy"), WRONG, ids=[str(fields) for fields, *_ in WRONG])
def test_wrong_yaml_names_file_line_field_value_and_remedy(
    project: ImageProject, fields: dict[str, str | None], field: str, value: str, remedy: str
) -> None:
    project.write(**fields)
    lines = project.yaml.read_text().splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.startswith(f"  {field.split('.', maxsplit=1)[0]}:")), 2)
    message = project.refusal()
    assert f"`attributes{'.' * bool(field)}{field} at {project.yaml}:{line}`" in message
    assert f"input_value={value}" in message
    assert remedy in message
    assert message.startswith("1 validation error")


@pytest.mark.parametrize(
    ("body", "told"),
    [("1 / 0", "ZeroDivisionError"), ("def f(:", "SyntaxError"), ("raise SystemExit(3)", "SystemExit(3)")],
)
def test_a_module_that_cannot_be_imported_is_named(project: ImageProject, body: str, told: str) -> None:
    project.write(segmentation=f"{{function: {project.package.name}.broken.f}}")
    (project.package / "broken.py").write_text(body)
    message = project.refusal()
    assert f"attributes.segmentation.function at {project.yaml}:6" in message
    assert told in message
    assert "correct the module" in message


def test_a_function_that_says_nothing_is_named_with_its_own_line(project: ImageProject) -> None:
    project.write(segmentation=f"{{function: {project.package.name}.own.silent}}")
    (project.package / "own.py").write_text("\n\ndef silent(planes):\n    return planes\n")
    message = project.refusal()
    assert f"attributes.segmentation.function at {project.yaml}:6" in message
    assert f"silent ({project.package}/own.py:3) does not say what it works on" in message


@pytest.mark.parametrize("asset", ["source_image", "plane_labels"])
def test_an_image_is_not_made_from_what_is_made_from_it(project: ImageProject, asset: str) -> None:
    project.write(upstream=f"[image/{asset}]")
    with pytest.raises(Exception, match="Error while building definitions for image") as raised:
        project.load()
    assert f"`upstream` in {project.yaml} names 'image/{asset}', an asset that is made" in str(raised.value.__cause__)


@pytest.mark.parametrize(
    "fields",
    [{"url": None, "image_id": "1", "endpoint": "'{{ env.SECRET }}'"}, {"storage_options": "'{{ env.SECRET }}'"}],
)
def test_what_is_filled_in_stands_in_no_error(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str | None]
) -> None:
    monkeypatch.setenv("SECRET", "https://user:s3cret@127.0.0.1/a.zarr")
    project.write(**fields)
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        project.load()
    assert "s3cret" not in "".join(format_exception(raised.value))
