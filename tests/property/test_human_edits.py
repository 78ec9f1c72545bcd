"""One edit by a person in the web page, of a project that agrees with its files, writes nothing."""

from hypothesis import assume, given
from randomstories import Story, stories
from randomworlds import campaign


@campaign(200)
@given(stories())
def test_one_edit_by_a_person_writes_nothing(story: Story):
    assume(not story.case.plan().is_pending)
    assume(story.edited != story.case.world)

    assert story.case.plan(story.edited).actions == ()
