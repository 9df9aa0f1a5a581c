"""Plugins are found, and a broken one is nobody else's problem."""

import pytest

from autoqa.api import API_VERSION
from autoqa.errors import PluginError
from autoqa.registry import Record, discover


def only() -> Record:
    (record,) = discover().records
    return record


@pytest.mark.usefixtures("example")
def test_installed_plugins_of_each_kind_are_found(capsys):
    catalogue = discover()
    assert [(record.kind, record.name, record.origin) for record in catalogue.records] == [
        ("backbone", "example-encoder", "autoqa-plugin-example 1.2.3"),
        ("source", "example-broken", "autoqa-plugin-broken 0.0.1"),
        ("source", "example-lines", "autoqa-plugin-example 1.2.3"),
        ("augmentation", "example-blank", "autoqa-plugin-example 1.2.3"),
    ]
    assert catalogue.records[0].summary == "An encoder in a folder"
    assert catalogue.backbone("example-encoder", "x").name == "example-encoder"
    assert catalogue.source("example-lines", "x").name == "example-lines"
    assert catalogue.augmentation("example-blank", "x").name == "example-blank"
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("example")
def test_a_plugin_that_cannot_be_imported_is_raised_only_when_named():
    catalogue = discover()
    with pytest.raises(PluginError) as caught:
        catalogue.source("example-broken", "sources.a.type")
    message = str(caught.value)
    assert message.startswith(
        "sources.a.type: the source plugin 'example-broken' of autoqa-plugin-broken 0.0.1 cannot "
        "be used: RuntimeError: the flux capacitor is empty ("
    )
    assert message.endswith("autoqa_plugin_broken.py, line 5)")


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    "kind, name, end",
    [
        ("source", "exampel-lines", "; did you mean 'example-lines'? there are: example-broken, "),
        ("source", "zzz", "is named 'zzz'; there are: example-broken, example-lines"),
        ("backbone", "example-lines", "'example-lines' is the name of a plugin of another kind ("),
        ("augmentation", "x", "no augmentation plugin is named 'x'; there are: example-blank"),
    ],
)
def test_an_unknown_name_gets_a_hint(kind, name, end):
    with pytest.raises(PluginError) as caught:
        getattr(discover(), kind)(name, "here")
    assert str(caught.value).startswith(f"here: no {kind} plugin is named {name!r}")
    assert end in str(caught.value)


@pytest.mark.parametrize(
    "code, cause",
    [
        ("raise SystemExit(3)", "SystemExit: 3 ("),
        ("import surely_not_installed", "No module named 'surely_not_installed' ("),
        ("def spec(:", "SyntaxError: "),
        ("", "AttributeError: "),
        ("1 / 0", "ZeroDivisionError: division by zero ("),
        ("spec = 7", "test_odd:spec is of type int, not SourceSpec"),
    ],
)
def test_whatever_goes_wrong_in_a_module_is_its_failure(install, code, cause):
    install("test-odd", "odd", code or "nothing = 1")
    assert cause in (only().failure or "")
    assert only().spec is None


def test_a_spec_of_another_kind_is_no_plugin(install):
    install("test-kind", "kind", group="backbones")
    assert only().failure == "test_kind:spec is of type SourceSpec, not BackboneSpec"


def test_the_names_of_entry_point_and_spec_agree(install):
    install("test-name", "name", spec_name="other")
    assert only().failure == "its entry point says 'name', but its spec says 'other'"


@pytest.mark.parametrize(
    "version, remedy",
    [(API_VERSION - 1, "a newer test-version"), (API_VERSION + 1, "a newer autoqa")],
)
def test_another_version_of_the_api_is_refused(install, version, remedy):
    install("test-version", "version", api_version=version)
    assert only().failure == (
        f"it was written for version {version} of the plugin API, but this autoqa has version "
        f"{API_VERSION}; install {remedy}"
    )


def test_duplicates_name_both_distributions_and_spare_the_rest(install):
    install("test-first", "same")
    install("test-second", "same")
    install("test-third", "alone")
    catalogue = discover()
    assert catalogue.source("alone", "x").name == "alone"
    with pytest.raises(PluginError, match=r"by test-first 1\.0 and test-second 1\.0; uninstall"):
        catalogue.source("same", "x")


def test_one_name_in_two_groups_is_no_duplicate(install):
    install("test-source", "same")
    code = (
        "from autoqa.api import *\nspec = AugmentationSpec(name='same', summary='', "
        "options=Options, build=lambda o: Augmentation(), api_version=1)"
    )
    install("test-augmentation", "same", code, group="augmentations")
    assert [record.failure for record in discover().records] == [None, None]


@pytest.mark.usefixtures("example")
def test_the_switch_limits_which_distributions_are_used(monkeypatch):
    monkeypatch.setenv("AUTOQA_PLUGINS", " Autoqa_Plugin.Example ,")
    catalogue = discover()
    assert {record.distribution for record in catalogue.records} == {"autoqa-plugin-example"}
    assert catalogue.warnings == ()
    with pytest.raises(PluginError, match="AUTOQA_PLUGINS switches off autoqa-plugin-broken; add"):
        catalogue.source("example-broken", "x")

    monkeypatch.setenv("AUTOQA_PLUGINS", "")
    assert discover().records == ()
    with pytest.raises(PluginError, match="AUTOQA_PLUGINS switches off autoqa-augmentations"):
        discover().augmentation("cutout", "x")

    monkeypatch.setenv("AUTOQA_PLUGINS", "autoqa-plugin-exmaple")
    (warning,) = discover().warnings
    assert warning.endswith("is installed; did you mean 'autoqa-plugin-example'?")

    monkeypatch.delenv("AUTOQA_PLUGINS")
    assert {"example-lines", "example-broken"} <= {record.name for record in discover().records}
