//! Whether a WebP is all there.

/// Whether no part of a WebP is said to be longer than the file. The decoder makes room for a part before it reads it.
pub(super) fn can_be_read(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some(([_, _, _, _, length @ ..], after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(*length) as usize;
        if length > bytes.len() {
            return false;
        }
        // Every part has an even length.
        rest = after.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    true
}

/// Whether a WebP has all the bytes that it announces; how the image is to be turned may stand in
/// the last of them.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let announced = bytes.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    // The last byte may be padding, which some programs count and do not write.
    announced.is_some_and(|announced| bytes.len() as u64 + 1 >= u64::from(announced) + 8)
}
