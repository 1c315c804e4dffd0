import numpy as np
import pytest

from fewmask.errors import ModelError
from fewmask.models.backend import keras, keras_settings
from fewmask.models.convolutionalize import convolutionalize

layers = keras.layers
BACKEND = keras.config.backend()
LAYOUTS = ("channels_last", "channels_first")
REFUSES_CHANNELS_FIRST = ("ConvNeXt", "DenseNet", "NASNet")


def needs(data_format):
    """Skips what a backend cannot do on a processor."""
    if data_format == "channels_first" and BACKEND == "tensorflow":
        pytest.skip("TensorFlow convolves channels_first on a GPU only")


def pixels(height, width, data_format="channels_last", count=1):
    batch = np.random.default_rng(0).uniform(-1, 1, (count, height, width, 3)).astype(np.float32)
    return batch if data_format == "channels_last" else batch.transpose(0, 3, 1, 2)


def application(name, side, data_format, **arguments):
    free_of_weights = {"weights": None, "classes": 7, **arguments}
    shape = (side, side, 3) if data_format == "channels_last" else (3, side, side)
    with keras_settings(data_format):
        return getattr(keras.applications, name)(input_shape=shape, **free_of_weights)


def sequential(*stack, side=16, data_format="channels_last"):
    shape = (side, side, 3) if data_format == "channels_last" else (3, side, side)
    return keras.Sequential([keras.Input(shape), *stack], name="own")


def check_one_classifier(classifier, data_format="channels_last", more=32):
    """Own size: the classifier's scores. Larger by `more` rows and twice that in columns: a map
    with one place more a stride."""
    network = convolutionalize(classifier)
    side = classifier.input_shape[2]
    scores = np.asarray(classifier.predict_on_batch(pixels(side, side, data_format, count=2)))
    found = np.asarray(network.predict_on_batch(pixels(side, side, data_format, count=2)))
    assert np.ptp(scores) > 0.001
    assert found.size == scores.size
    np.testing.assert_allclose(found.reshape(scores.shape), scores, atol=1e-5)
    larger = np.asarray(network.predict_on_batch(pixels(side + more, side + 2 * more, data_format)))
    classes = scores.shape[-1]
    first = data_format == "channels_first"
    assert larger.shape == ((1, classes, 2, 3) if first else (1, 2, 3, classes))
    return network


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize(
    "name", ["VGG16", "ResNet50", "MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0"]
)
def test_the_scores_on_the_own_size_are_the_classifiers(name, data_format, shuffle_weights):
    needs(data_format)
    classifier = shuffle_weights(application(name, 64, data_format))
    check_one_classifier(classifier, data_format)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("ConvNeXtTiny", 224),
        ("DenseNet121", 224),
        ("EfficientNetV2B0", 224),
        ("InceptionResNetV2", 299),
        ("InceptionV3", 299),
        ("MobileNetV2", 224),
        ("MobileNetV3Large", 224),
        ("NASNetMobile", 224),
        ("ResNet50V2", 224),
        ("VGG19", 64),
        ("Xception", 299),
    ],
)
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_the_scores_of_every_family_are_the_classifiers(name, side, data_format, shuffle_weights):
    needs(data_format)
    if data_format == "channels_first" and name.startswith(REFUSES_CHANNELS_FIRST):
        pytest.skip(f"Keras builds {name} in channels_last only")
    if name == "NASNetMobile" and BACKEND == "torch":
        pytest.skip("Keras refuses to build NASNetMobile on torch")
    # Logits grow with the depth of a network whose weights are drawn; softmax would be 0 and 1.
    classifier = application(name, side, data_format)
    if name not in ("EfficientNetV2B0", "InceptionResNetV2"):
        classifier = shuffle_weights(classifier)
    check_one_classifier(classifier, data_format)


def flat_head():
    return (
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(6, activation="relu"),
        layers.BatchNormalization(),
        layers.Dense(4, activation="softmax", use_bias=False),
    )


def pooled_head(pooling):
    return (
        pooling(),
        layers.LayerNormalization(),
        layers.Dense(5),
        layers.LeakyReLU(),
        layers.Reshape((1, 1, 5)),
        layers.Conv2D(4, 1),
        layers.Flatten(),
        layers.Softmax(),
    )


HEADS = {
    "Flatten": flat_head,
    "average": lambda: pooled_head(layers.GlobalAveragePooling2D),
    "maximum": lambda: pooled_head(layers.GlobalMaxPooling2D),
}


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize("head", HEADS)
def test_each_place_of_the_map_is_what_the_classifier_says_there(
    head, data_format, shuffle_weights
):
    needs(data_format)
    if head != "Flatten" and data_format == "channels_first":
        pytest.skip("its Reshape and Conv2D are written for channels_last")
    with keras_settings(data_format):
        classifier = shuffle_weights(
            sequential(
                layers.Conv2D(8, 3, strides=2, activation="relu"),
                layers.Conv2D(8, 3, strides=2),
                *HEADS[head](),
                data_format=data_format,
                side=19,
            )
        )
    network = convolutionalize(classifier)
    image = pixels(27, 31)
    # Nothing pads in this network: the window at (i, j) sees the pixels from (4 i, 4 j) on.
    windows = np.concatenate(
        [image[:, y : y + 19, x : x + 19] for y in range(0, 9, 4) for x in range(0, 13, 4)]
    )
    if data_format == "channels_first":
        image, windows = image.transpose(0, 3, 1, 2), windows.transpose(0, 3, 1, 2)
    scores = np.asarray(classifier.predict_on_batch(windows)).reshape(3, 4, 4)
    found = np.asarray(network.predict_on_batch(image))[0]
    if data_format == "channels_first":
        found = found.transpose(1, 2, 0)
    assert np.ptp(scores) > 0.01
    np.testing.assert_allclose(found, scores, atol=1e-5)


def test_a_head_on_a_network_inside_the_network_is_found(shuffle_weights):
    inner = application("MobileNetV2", 64, "channels_last", include_top=False, alpha=0.35)
    stack = keras.Sequential([layers.Rescaling(2.0), layers.Conv2D(3, 1)])
    image = keras.Input((64, 64, 3))
    x = layers.GlobalAveragePooling2D()(inner(stack(image)))
    classifier = shuffle_weights(keras.Model(image, layers.Dense(3)(x)))
    check_one_classifier(classifier)
    check_one_classifier(
        shuffle_weights(sequential(stack, inner, layers.Flatten(), layers.Dense(2), side=64))
    )


def test_features_flattened_from_one_pixel_need_no_pooling(shuffle_weights):
    classifier = shuffle_weights(
        sequential(layers.Conv2D(4, 16, strides=16), layers.Flatten(), layers.Dense(3))
    )
    check_one_classifier(classifier, more=16)


def test_classifier_and_network_share_nothing(shuffle_weights):
    classifier = shuffle_weights(application("MobileNetV2", 64, "channels_last", alpha=0.35))
    before = classifier.get_weights()
    network = convolutionalize(classifier)
    network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    for weight, kept in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    assert classifier.get_layer("predictions").output is classifier.output
    assert network.count_params() == classifier.count_params()


def test_layers_keep_name_type_and_what_is_trained():
    classifier = application("VGG16", 32, "channels_last", classifier_activation=None)
    classifier.get_layer("fc1").trainable = False
    classifier.get_layer("fc2").dtype_policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    network = convolutionalize(classifier)
    assert [layer.name for layer in network.layers[-3:]] == ["fc1", "fc2", "predictions"]
    assert [layer.trainable for layer in network.layers[-3:]] == [False, True, True]
    assert network.get_layer("fc2").dtype_policy.name == "mixed_bfloat16"


def test_the_network_is_saved_and_opened_by_keras_alone(tmp_path, shuffle_weights):
    network = convolutionalize(
        shuffle_weights(application("MobileNetV3Small", 64, "channels_last"))
    )
    network.save(tmp_path / "mạng.keras")
    opened = keras.saving.load_model(tmp_path / "mạng.keras")
    image = pixels(96, 64)
    np.testing.assert_allclose(
        np.asarray(opened.predict_on_batch(image)),
        np.asarray(network.predict_on_batch(image)),
        atol=1e-6,
    )


class Subclass(keras.Model):
    def call(self, inputs):
        return inputs


def two_outputs():
    image = keras.Input((8, 8, 3))
    x = layers.Flatten()(image)
    return keras.Model(image, [layers.Dense(2)(x), layers.Dense(3)(x)], name="own")


def two_ways():
    image = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(image)
    x = layers.Add()([layers.Dense(2)(x), layers.Dense(2)(x)])
    return keras.Model(image, layers.Softmax()(x), name="own")


def one_layer_twice():
    image, dense = keras.Input((8, 8, 3)), layers.Dense(3, name="both")
    x = dense(layers.GlobalAveragePooling2D()(image))
    return keras.Model(image, dense(x), name="own")


def bound_to_its_size():
    return sequential(
        layers.Reshape((64, 12)),
        layers.Dense(12),
        layers.Reshape((16, 16, 3)),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
    )


@keras.saving.register_keras_serializable("tests")
class KnowsItsSize(layers.Layer):
    def build(self, input_shape):
        self.place = self.add_weight(shape=input_shape[1:])

    def call(self, inputs):
        return inputs + self.place


TOP = "Build it with its top: include_top=True in keras.applications."
END = "global pooling or Flatten at its end, then dense layers, each used once"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: "MobileNetV2",
            "convolutionalize: expected a keras.Model that classifies images, found an object of "
            "type str. Try keras.applications.MobileNetV2().",
        ),
        (
            lambda: Subclass(name="own"),
            "convolutionalize(own): expected a functional or sequential model that knows its "
            "input, found a subclass of keras.Model, or a model without a keras.Input. Put its "
            "layers together with a keras.Input in front.",
        ),
        (
            two_outputs,
            "convolutionalize(own): expected one input and one output, found 1 and 2. "
            "Make a keras.Model of one of each.",
        ),
        (
            lambda: keras.applications.MobileNetV3Small(weights=None),
            "convolutionalize(MobileNetV3Small): expected images of one size, which tells how "
            "large its window is, found an input of shape (None, None, None, 3). Build it with "
            "input_shape=(224, 224, 3), or the size that it was trained on.",
        ),
        (
            lambda: application("MobileNetV2", 64, "channels_last", include_top=False),
            f"convolutionalize(mobilenetv2_1.00_64): expected {END}, found the layer out_relu "
            f"(ReLU). {TOP}",
        ),
        (
            lambda: sequential(layers.Reshape((256, 3)), layers.GRU(4, name="gru")),
            f"convolutionalize(own): expected {END}, found the layer gru (GRU). {TOP}",
        ),
        (two_ways, f"convolutionalize(own): expected {END}, found the layer add (Add). {TOP}"),
        (
            one_layer_twice,
            f"convolutionalize(own): expected {END}, found the layer both (Dense). {TOP}",
        ),
        (
            lambda: sequential(
                layers.Flatten(), layers.BatchNormalization(name="bn"), layers.Dense(2)
            ),
            "convolutionalize(own): expected layers at its end that see every place alike, found "
            "the layer bn (BatchNormalization). Train a head of global pooling and dense layers "
            "in its place.",
        ),
        (
            lambda: sequential(layers.Flatten(), layers.Dropout(0.1)),
            "convolutionalize(own): expected a dense layer that takes what Flatten gives, found "
            "none. Take global pooling in its place, or put a dense layer behind it.",
        ),
        (
            bound_to_its_size,
            "convolutionalize(own): expected layers that take images of any size, found features "
            "of shape (None, 16, 16, 3) for all of them. Take a classifier whose layers do.",
        ),
        (
            lambda: sequential(KnowsItsSize(), layers.GlobalAveragePooling2D(), layers.Dense(2)),
            "convolutionalize(own): expected layers that take images of any size, found",
        ),
    ],
)
def test_a_classifier_that_cannot_be_convolutionalized_is_refused(make, sentence):
    keras.backend.clear_session()
    with pytest.raises(ModelError) as error:
        convolutionalize(make())
    assert str(error.value)[: len(sentence)] == sentence
    if not sentence.endswith("found"):
        assert str(error.value) == sentence


def test_the_settings_of_the_process_have_no_say(shuffle_weights):
    classifier = shuffle_weights(application("MobileNetV2", 64, "channels_last", alpha=0.35))
    with keras_settings("channels_first"):
        check_one_classifier(classifier)
