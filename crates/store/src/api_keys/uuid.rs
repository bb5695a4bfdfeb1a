//! The keys of the compatible product: UUIDs of version 4.

/// Fewer different digits than this are not drawn at random: the chance is below one in a hundred million.
const DIGITS_MIN: u32 = 7;
/// As many equal steps from digit to digit are not either.
const STEPS_MAX: u8 = 14;

/// Whether a text is a UUID of version 4 (RFC 9562, section 5.4) in lower case whose digits look drawn. A key is as good
/// as its randomness, so that the UUIDs of examples and hands, such as all zeros or `12345678-…`, are none.
pub(super) fn is_random(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || bytes[14] != b'4' || !matches!(bytes[19], b'8' | b'9' | b'a' | b'b') {
        return false;
    }
    let (mut seen, mut steps, mut before) = (0_u16, [0_u8; 16], None);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return false;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return false,
        };
        // These two are the same in every one.
        if matches!(index, 14 | 19) {
            continue;
        }
        seen |= 1 << digit;
        if let Some(before) = before.replace(digit) {
            steps[usize::from(digit.wrapping_sub(before) & 15)] += 1;
        }
    }
    seen.count_ones() >= DIGITS_MIN && steps.iter().all(|count| *count <= STEPS_MAX)
}

#[cfg(test)]
mod tests {
    use super::is_random;

    #[test]
    fn only_uuids_that_were_drawn_are_keys() {
        for (text, expected) in [
            ("5f2b8c1e-93d4-4a07-b6ce-0d1f7a84e235", true),
            ("c56a4180-65aa-42ec-a945-5fd21dec0538", true),
            ("00000000-0000-4000-8000-000000000000", false),
            ("00000000-0000-0000-0000-000000000000", false),
            ("11111111-1111-4111-8111-111111111111", false),
            ("deadbeef-dead-4eef-8ead-beefdeadbeef", false),
            ("12345678-1234-4234-8234-123456789012", false),
            ("01234567-89ab-4def-8123-456789abcdef", false),
            ("ffffffff-ffff-4fff-bfff-ffffffffffff", false),
            // Versions 1 and 7 hold a time, and another variant is none of these.
            ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", false),
            ("01890a5d-ac96-774b-bcce-b302099a8057", false),
            ("5f2b8c1e-93d4-4a07-c6ce-0d1f7a84e235", false),
            ("5F2B8C1E-93D4-4A07-B6CE-0D1F7A84E235", false),
            ("5f2b8c1e93d44a07b6ce0d1f7a84e235", false),
            ("5f2b8c1e-93d4-4a07-b6ce-0d1f7a84e23", false),
            ("5f2b8c1e-93d4-4a07-b6ce-0d1f7a84e23g", false),
            ("5f2b8c1e-93d4-4a07-b6ce-0d1f7a84e2é", false),
            ("", false),
        ] {
            assert_eq!(is_random(text), expected, "{text}");
        }
    }
}
