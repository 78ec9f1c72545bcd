"""What a policy and a freeze window withhold: rules about how far and when an apply may write."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from runs_as_code.errors import RefusedError
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.desired import Manifest, ManifestSet
from runs_as_code.model.plan import Block, Change
from runs_as_code.model.restraint import FreezeWindow, Frozen, Policy
from runs_as_code.planning.context import Context, Place

_ALLOWED = {
    Policy.NO_CLOSE: "closes nothing, and so replaces nothing",
    Policy.CREATE_ONLY: "makes the first run of a key and nothing else",
    Policy.OBSERVE: "writes nothing",
}


def tighten(manifests: ManifestSet, policy: Policy) -> ManifestSet:
    """Return the manifests under the command line's policy.

    Raises RefusedError where a file has a stricter one: a flag can only tighten.
    """
    for manifest in manifests.manifests:
        if manifest.policy.strictness > policy.strictness:
            place = manifest.policy_location or manifest.file
            raise RefusedError(
                f"`--policy {policy}` would loosen `policy: {manifest.policy}` of {place};"
                " nothing was written",
                hint=f"the command line only tightens: leave it out, or give"
                f" `--policy {manifest.policy}`",
            )
    return tightened(manifests, policy)


def tightened(manifests: ManifestSet, policy: Policy) -> ManifestSet:
    """Return the manifests with a policy that is at least as strict as this one."""
    given = tuple(
        manifest
        if manifest.policy.strictness >= policy.strictness
        else replace(manifest, policy=policy, policy_location=None)
        for manifest in manifests.manifests
    )
    return replace(manifests, manifests=given)


def strictest(manifests: Iterable[Manifest]) -> Manifest:
    """Return the manifest whose policy counts for all of one owner and project."""
    return max(manifests, key=lambda manifest: (manifest.policy.strictness, manifest.file))


def freeze_of(manifests: Iterable[Manifest]) -> tuple[FreezeWindow, ...]:
    """Return the freeze windows of all files of one owner and project, each once."""
    return tuple(dict.fromkeys(window for manifest in manifests for window in manifest.freeze))


def withhold_by_policy(ctx: Context, changes: Mapping[Place, Change]) -> dict[Place, Change]:
    """Block each change of an owner that does more than the policy allows, as a whole."""
    manifest = strictest(ctx.manifests)
    policy = manifest.policy
    if policy is Policy.SYNC:
        return dict(changes)
    place = manifest.policy_location
    block = Block(
        rule="policy",
        message=f"the policy `{policy}`{'' if place else ' of the command line'}"
        f" {_ALLOWED[policy]}",
        line="policy: sync" if place else "nothing; a call without `--policy` does it",
        location=place,
    )
    return {
        place: change
        if place[0] != ctx.owner or _is_allowed(policy, change)
        else replace(change, blocks=(*change.blocks, block))
        for place, change in changes.items()
    }


def _is_allowed(policy: Policy, change: Change) -> bool:
    if not change.actions:
        return True
    makes = [action for action in change.actions if isinstance(action, MakeRun)]
    if policy is Policy.OBSERVE or len(makes) < len(change.actions):
        return False
    return policy is Policy.NO_CLOSE or all(make.revision == 1 for make in makes)


def freeze_refusal(frozen: Frozen | None, changes: Iterable[Change], *, reason: str) -> list[Block]:
    """Refuse to write while a freeze window lasts, if there is anything to write.

    `reason` is why somebody wants to write all the same; empty when nobody does.
    """
    is_wanted = any(change.actions and not change.is_withheld for change in changes)
    if frozen is None or reason or not is_wanted:
        return []
    return [freeze_block(frozen)]


def freeze_block(frozen: Frozen) -> Block:
    """Say why nothing is written now, and when that ends."""
    why = f": {frozen.reason}" if frozen.reason else ""
    return Block(
        rule="freeze-window",
        message=f"a freeze window lasts until {frozen.until}{why};"
        " the first apply after it does what is wanted then",
        flag='--ignore-freeze "WHY"',
    )


def freeze_note(frozen: Frozen | None, reason: str) -> list[str]:
    """Say in the plan that a freeze window is ignored, and why."""
    if frozen is None or not reason:
        return []
    return [f"the freeze window until {frozen.until} is ignored: {reason}"]
