use std::time::Duration;

use tombolo_vault::{Random, RandomnessUnavailable};

/// The pauses between the attempts of a delivery: eight attempts over 28 hours.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];

/// The longest time for which a receiver is left alone because it asks for it.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// The pause after an attempt that failed, or `None` when it was the last one. Up to a tenth is added at random, so that
/// what failed together does not come back together; a receiver that asks for more gets it.
pub(super) fn pause_after(
    tries: u32,
    asked_for: Option<Duration>,
    random: &dyn Random,
) -> Result<Option<Duration>, RandomnessUnavailable> {
    let Some(pause) = PAUSES.get(tries as usize) else { return Ok(None) };
    let mut byte = [0];
    random.fill(&mut byte)?;
    let longer = *pause * u32::from(byte[0]) / 2550;
    let wish = asked_for.unwrap_or_default().min(LONGEST_WISH);
    Ok(Some((*pause + longer).max(wish)))
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    #[test]
    fn eight_attempts_take_28_hours_and_a_little() {
        let random = SeededRandom::new(1);
        let mut all = Duration::ZERO;
        for (tries, shortest) in PAUSES.iter().enumerate() {
            let pause = pause_after(tries as u32, None, &random).expect("randomness").expect("a pause");
            assert!(pause >= *shortest && pause <= *shortest * 11 / 10, "{tries}: {pause:?}");
            all += pause;
        }
        assert!(all >= Duration::from_mins(27 * 60 + 35) && all < Duration::from_hours(31), "{all:?}");
        assert_eq!(pause_after(7, None, &random).expect("randomness"), None, "then it is given up");
    }

    #[test]
    fn a_receiver_may_ask_for_more_but_not_for_ever() {
        let random = SeededRandom::new(1);
        let asked = |seconds| {
            let wish = Some(Duration::from_secs(seconds));
            pause_after(0, wish, &random).expect("randomness").expect("a pause")
        };
        assert!(asked(1) >= Duration::from_secs(5), "never less than the schedule");
        assert_eq!(asked(120), Duration::from_mins(2));
        assert_eq!(asked(u64::MAX), Duration::from_hours(24));
    }
}
