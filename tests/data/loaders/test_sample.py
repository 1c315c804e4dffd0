import pickle

import pytest

from fewmask.data.loaders.sample import sample_of


def test_a_sample_is_read_by_attribute_key_and_order():
    sample = sample_of({"image": "a.png", "count": 3, "my column": 4})
    assert sample.image == sample["image"] == sample[0] == "a.png"
    assert (sample.count, sample["my column"], sample[-1], len(sample)) == (3, 4, 4, 3)
    image, *_ = sample
    assert image == "a.png"
    assert sample[1:] == (3, 4)
    assert sample._asdict() == {"image": "a.png", "count": 3, "my column": 4}
    assert sample._replace(count=5) == ("a.png", 5, 4)
    assert repr(sample) == "Sample(image='a.png', count=3, my column=4)"


def test_samples_of_equal_columns_are_of_one_class_in_every_process():
    sample = sample_of({"image": "a.png", "count": 3}, "images/a")
    again = pickle.loads(pickle.dumps(sample))
    assert again == sample
    assert type(again) is type(sample) is type(sample._replace(count=1))
    assert again._id == sample._replace(count=1)._id == "images/a"


def test_a_sample_says_what_it_has():
    sample = sample_of({"image": "a.png", "count": 3})
    with pytest.raises(AttributeError, match="has no 'mask'; it has image, count"):
        _ = sample.mask
    with pytest.raises(KeyError, match="has no 'mask'; it has image, count"):
        sample["mask"]
    with pytest.raises(ValueError, match="has no mask, masks"):
        sample._replace(masks=1, mask=2)
