"""Policies and freeze windows: who may tighten, what the digest says."""

from dataclasses import replace

import pytest
from builders import PLACE, desired, manifest, plan_project

from runs_as_code.errors import RefusedError
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.restraint import FreezeWindow, Policy
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.planning.restraints import tighten, tightened

MANIFEST = manifest(desired("a"))
CAREFUL = replace(MANIFEST, policy=Policy.NO_CLOSE, policy_location=PLACE)


def policies(manifests: ManifestSet) -> list[Policy]:
    return [each.policy for each in manifests.manifests]


def test_the_command_line_tightens():
    given = ManifestSet((MANIFEST, CAREFUL))
    assert policies(tighten(given, Policy.OBSERVE)) == [Policy.OBSERVE, Policy.OBSERVE]
    assert policies(tighten(given, Policy.NO_CLOSE)) == [Policy.NO_CLOSE, Policy.NO_CLOSE]


def test_the_command_line_never_loosens():
    with pytest.raises(RefusedError) as error:
        tighten(ManifestSet((MANIFEST, CAREFUL)), Policy.SYNC)
    assert "`--policy sync` would loosen `policy: no-close`" in error.value.message
    assert "`--policy no-close`" in error.value.hint


def test_a_loop_keeps_the_stricter_of_both():
    given = ManifestSet((MANIFEST, CAREFUL))
    assert policies(tightened(given, Policy.SYNC)) == [Policy.SYNC, Policy.NO_CLOSE]
    assert policies(tightened(given, Policy.CREATE_ONLY)) == [Policy.CREATE_ONLY] * 2


def test_a_way_out_names_who_said_so():
    (by_file,) = plan_project(replace(CAREFUL, policy=Policy.OBSERVE)).projects[0].changes
    (by_flag,) = plan_project(replace(MANIFEST, policy=Policy.OBSERVE)).projects[0].changes
    assert by_file.blocks[0].line == "policy: sync"
    assert by_flag.blocks[0].line == "nothing; a call without `--policy` does it"
    assert "of the command line" in by_flag.blocks[0].message


def test_another_policy_or_window_is_another_plan():
    window = FreezeWindow("2026-12-24T12:00", "2026-12-25T12:00")
    plans = [
        plan_project(given)
        for given in (
            MANIFEST,
            CAREFUL,
            replace(MANIFEST, freeze=(window,)),
            replace(MANIFEST, freeze=(replace(window, end="2026-12-26T12:00"),)),
        )
    ]
    assert len({plan.projects[0].actions for plan in plans}) == 1
    assert len({plan_digest(plan) for plan in plans}) == len(plans)
