import cv2
import numpy as np
import pytest

from fewmask.data.formats.filling import Outline, fill, fill_outline
from fewmask.data.formats.outlines import AGREEMENT, Piece, find_pieces, join_holes, trace

from .conftest import difficult_mask


def drawn(outlines, size):
    mask = np.zeros(size, bool)
    for outline in outlines:
        bitmap = (
            fill_outline(outline, *size) if isinstance(outline, Outline) else fill(outline, *size)
        )
        rows, columns, inside = bitmap.window(*size)
        mask[rows, columns] |= inside
    return mask


def test_pieces_hang_together_by_corners_too():
    mask = np.eye(4, dtype=np.uint8)
    mask[0, 3] = 1
    pieces = list(find_pieces(mask, 1))
    assert sorted(int(piece.pixels.sum()) for piece in pieces) == [1, 4]


def test_a_piece_knows_whether_it_touches_another_class():
    mask = np.array([[1, 0, 0, 2], [0, 0, 1, 0], [1, 0, 0, 0]], np.uint8)
    touching = {(piece.top, piece.left): piece.touches for piece in find_pieces(mask, 1)}
    assert touching == {(0, 0): False, (1, 2): True, (2, 0): False}


@pytest.mark.parametrize("class_id", [1, 2])
def test_where_classes_touch_outlines_keep_every_pixel(class_id):
    mask = difficult_mask()
    for piece in find_pieces(mask, class_id):
        exact = Piece(class_id, piece.pixels, piece.top, piece.left, touches=True)
        expected = np.zeros(mask.shape, bool)
        height, width = piece.pixels.shape
        expected[piece.top : piece.top + height, piece.left : piece.left + width] = piece.pixels
        np.testing.assert_array_equal(drawn([trace(exact)], mask.shape), expected)


@pytest.mark.parametrize("seed", range(4))
def test_noise_with_all_its_holes_comes_back_exactly(seed):
    noise = np.random.default_rng(seed).random((40, 30)) < 0.6
    pieces = [Piece(1, p.pixels, p.top, p.left, True) for p in find_pieces(noise.astype("u1"), 1)]
    outlines = [trace(piece) for piece in pieces]
    np.testing.assert_array_equal(drawn(outlines, noise.shape), noise)
    np.testing.assert_array_equal(drawn([join_holes(o) for o in outlines], noise.shape), noise)


def test_an_outline_has_few_corners_and_agrees():
    mask = cv2.ellipse(np.zeros((480, 640), np.uint8), (320, 240), (260, 180), 20, 0, 360, 1, -1)
    (piece,) = find_pieces(mask, 1)
    outline = trace(piece)
    assert not outline.holes
    assert len(outline.ring) < 80  # of 1,100 pixels along its border
    filled = drawn([outline], mask.shape)
    both, either = np.count_nonzero(filled & (mask == 1)), np.count_nonzero(filled | (mask == 1))
    assert both / either >= AGREEMENT


def test_one_pixel_has_an_outline():
    (piece,) = find_pieces(np.pad(np.ones((1, 1), np.uint8), 2), 1)
    outline = trace(piece)
    assert outline.ring.tolist() == [[2.5, 2.0], [3.0, 2.5], [2.5, 3.0], [2.0, 2.5]]


def test_a_ring_without_holes_is_left_as_it_is():
    ring = np.array([[0, 0], [3, 0], [3, 3.0]])
    assert join_holes(Outline(ring)) is ring
