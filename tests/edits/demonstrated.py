"""Small tasks of demonstrations, shared by the tests of their formats."""

from __future__ import annotations

from selfedit.types import Example, FewShot, Grid

MIRROR: FewShot[Grid] = FewShot(
    "mirror",
    (
        Example(((1, 0), (2, 3)), ((0, 1), (3, 2))),
        Example(((4, 4, 0),), ((0, 4, 4),)),
        Example(((5,), (6,)), ((5,), (6,))),
    ),
    (Example(((7, 8, 0), (0, 9, 1)), ((0, 8, 7), (1, 9, 0))),),
)
BACKWARDS: FewShot[str] = FewShot(
    "backwards",
    (Example("abc", "cba"), Example("Dog 12", "21 goD"), Example("level", "level"), Example("x9", "9x")),
    (Example("stone", "enots"),),
)
MOODS: FewShot[str] = FewShot(
    "moods",
    (
        Example("a lovely day at the sea", "good"),
        Example("the soup was cold", "bad"),
        Example("nobody came to help us", "bad"),
        Example("we laughed all evening", "good"),
        Example("the room was clean and quiet", "good"),
    ),
    (Example("the train was late again", "bad"),),
)
