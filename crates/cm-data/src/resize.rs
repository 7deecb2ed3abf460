//! Images of any size become images of one size.

use fast_image_resize::{
    FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedCroppedImage, TypedImage, TypedImageRef},
    pixels::{U8, U8x3},
};

use crate::{DataError, Image, InputSpec, Resize, image::SLICES, input::PADDING};

/// Region, channels and size of `input`; nothing if the image has them already.
///
/// The resizer keeps its buffers from image to image. For errors see [`InputSpec::apply`].
pub(crate) fn prepare(
    image: &Image,
    input: &InputSpec,
    resizer: &mut Resizer,
) -> Result<Option<Image>, DataError> {
    image.check_whole()?;
    let [found, expected] = [image.channels, input.channels];
    if found != expected && (SLICES.contains(&found) || SLICES.contains(&expected)) {
        return Err(DataError::Slices { found, expected });
    }
    // Fewer channels are resized faster: color goes before, gray is copied to three channels
    // after.
    let gray = match (image.channels, input.channels, input.region) {
        (3, 1, Some(region)) => Some(image.part(region)?.to_gray()),
        (3, 1, None) => Some(image.to_gray()),
        _ => None,
    };
    let region = if gray.is_some() { None } else { input.region };
    let resized = resized(gray.as_ref().unwrap_or(image), region, input, resizer)?;
    let prepared = resized.or(gray);
    match (image.channels, input.channels) {
        (1, 3) => Ok(Some(prepared.as_ref().unwrap_or(image).to_rgb())),
        _ => Ok(prepared),
    }
}

/// Region and size of `input` in the channels that the image has; nothing if there is nothing to
/// do.
fn resized(
    image: &Image,
    region: Option<[usize; 4]>,
    input: &InputSpec,
    resizer: &mut Resizer,
) -> Result<Option<Image>, DataError> {
    let whole = [0, 0, image.width, image.height];
    let region = region.unwrap_or(whole);
    image.check_holds(region)?;
    let (found, expected) = ([region[2], region[3]], [input.width, input.height]);
    if found == expected {
        return if region == whole { Ok(None) } else { image.part(region).map(Some) };
    }
    if input.resize == Resize::None {
        return Err(DataError::WrongSize { found, expected });
    }
    let size = match input.resize {
        Resize::Fit => largest_inside(found, expected),
        _ => expected,
    };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let options = match input.resize {
        Resize::Crop => {
            // The largest part with the proportions of the result, which is `found` where those
            // are the same.
            let [width, height] = largest_inside_exactly(expected, found);
            let left = (found[0] as f64 - width) / 2.0;
            let top = (found[1] as f64 - height) / 2.0;
            options.crop(left, top, width, height)
        }
        _ => options,
    };
    if image.is_volume() {
        let plane = InputSpec { channels: 1, ..input.clone() };
        let each = |slice: Image| {
            resized(&slice, Some(region), &plane, resizer).map(|resized| resized.unwrap_or(slice))
        };
        return image.each_slice(each).map(Some);
    }
    let pixels = match image.channels {
        1 => resample::<U8>(image, region, size, &options, resizer),
        _ => resample::<U8x3>(image, region, size, &options, resizer),
    };
    let Some(pixels) = pixels else { unreachable!("the image is whole and holds the region") };
    let resized = Image { width: size[0], height: size[1], channels: image.channels, pixels };
    Ok(Some(if size == expected { resized } else { padded(&resized, expected) }))
}

/// Nothing if the image is not whole or does not hold the region.
fn resample<P: PixelTrait>(
    image: &Image,
    region: [usize; 4],
    size: [usize; 2],
    options: &ResizeOptions,
    resizer: &mut Resizer,
) -> Option<Vec<u8>> {
    let [left, top, width, height] = region.map(|side| side as u32);
    let whole =
        TypedImageRef::<P>::from_buffer(image.width as u32, image.height as u32, &image.pixels).ok()?;
    let part = TypedCroppedImage::from_ref(&whole, left, top, width, height).ok()?;
    let mut pixels = vec![0; size[0] * size[1] * image.channels];
    let mut target = TypedImage::<P>::from_buffer(size[0] as u32, size[1] as u32, &mut pixels).ok()?;
    resizer.resize_typed(&part, &mut target, options).ok()?;
    Some(pixels)
}

/// Width and height in the proportions of `shape` that are just inside `bounds`.
fn largest_inside_exactly(shape: [usize; 2], bounds: [usize; 2]) -> [f64; 2] {
    let ([width, height], [most_wide, most_high]) = (shape.map(|s| s as f64), bounds.map(|b| b as f64));
    // Products of whole numbers, so that equal proportions are found to be equal.
    if width * most_high > most_wide * height {
        [most_wide, (most_wide * height / width).min(most_high)]
    } else {
        [(most_high * width / height).min(most_wide), most_high]
    }
}

/// The same in whole pixels, at least one.
fn largest_inside(shape: [usize; 2], bounds: [usize; 2]) -> [usize; 2] {
    largest_inside_exactly(shape, bounds).map(|side| (side.round() as usize).max(1))
}

/// The image in the middle of a gray one.
fn padded(image: &Image, [width, height]: [usize; 2]) -> Image {
    let mut pixels = vec![PADDING; width * height * image.channels];
    let (left, top) = ((width - image.width) / 2, (height - image.height) / 2);
    let length = image.width * image.channels;
    for (row, source) in (top..).zip(image.pixels.chunks_exact(length)) {
        let start = (row * width + left) * image.channels;
        pixels[start..start + length].copy_from_slice(source);
    }
    Image { width, height, channels: image.channels, pixels }
}
