//! Numbers and words as people read them. Every number of a report is written here: with a true
//! minus, and never as `−0.00`.

/// A number with so many decimals; a dash where it is not finite.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{value:.decimals$}");
    let is_zero = text.trim_matches(['-', '0', '.']).is_empty();
    if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
}

/// [`number`] with its sign; what is shown as zero has none.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    let shows_more_than_zero = text.contains(|letter: char| ('1'..='9').contains(&letter));
    if value > 0.0 && shows_more_than_zero { format!("+{text}") } else { text }
}

/// A share from 0 to 1 in percent.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", number(100.0 * share, decimals))
}

/// A p value; one that would be shown as zero is said to be small.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0005 { "< 0.001".to_owned() } else { number(p, 3) }
}

/// `1 seed`, `3 seeds`, `10 000 images`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with a thin gap every three digits from five digits on.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A time as a person would say it.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    if seconds < 59.95 {
        return format!("{} s", number(seconds.max(0.0), 1));
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The text with its first letter in upper case.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The text as a part of file names: letters, digits, `-`, `_`, `.`, and `-` for anything else.
pub(crate) fn slug(text: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    text.chars().map(|letter| if kept(letter) { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(grouped(8000), "8000");
        assert_eq!(grouped(60_000), "60\u{a0}000");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn zero_has_no_sign_however_it_came_about() {
        for zero in [0.0, -0.0, 0.004, -0.004] {
            assert_eq!((number(zero, 2).as_str(), signed(zero, 2).as_str()), ("0.00", "0.00"));
        }
        assert_eq!((percent(-0.00001, 2), number(-0.4, 0)), ("0.00 %".to_owned(), "0".to_owned()));
        assert_eq!((signed(1.6, 2), signed(-1.6, 2)), ("+1.60".to_owned(), "−1.60".to_owned()));
        assert_eq!(number(-100.0, 1), "−100.0");
        assert_eq!((number(f64::NAN, 2), signed(f64::INFINITY, 2)), ("–".to_owned(), "–".to_owned()));
    }

    #[test]
    fn a_p_value_is_never_shown_as_zero() {
        assert_eq!((p_value(0.0), p_value(0.0012)), ("< 0.001".to_owned(), "0.001".to_owned()));
        assert_eq!(p_value(1.0), "1.000");
    }

    #[test]
    fn durations_are_said_as_a_person_would() {
        assert_eq!(duration(7.25), "7.2 s");
        assert_eq!(duration(59.97), "1 min 0 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7260.0), "2 h 1 min");
        assert_eq!((duration(f64::NAN), duration(-0.01)), ("–".to_owned(), "0.0 s".to_owned()));
    }

    #[test]
    fn a_part_of_a_file_name_leads_to_no_other_folder() {
        assert_eq!(slug("contrast"), "contrast");
        assert_eq!(slug("../a b"), "..-a-b");
    }
}
