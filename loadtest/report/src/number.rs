//! Numbers as people read them. What is not finite is a dash: a figure that could not be taken is not a nought.

/// For what has no value.
pub const NONE: &str = "–";
/// Nothing that was measured; not to be written out digit by digit.
const HUGE: f64 = 1e15;

/// `12,345`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// `12,345/s`, `12.3/s`.
pub fn per_s(value: f64) -> String {
    plain(value).map_or_else(|| NONE.into(), |text| format!("{text}/s"))
}

/// Microseconds: `0.42 µs`, `312 µs`, `1.24 ms`, `2.10 s`.
pub fn micros(value: f64) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    // Limits below the round number, so that 999.7 is not "1000 µs".
    match value.abs() {
        size if size < 999.5 => format!("{} µs", three_digits(value)),
        size if size < 999_500.0 => format!("{} ms", three_digits(value / 1e3)),
        _ => seconds(value / 1e6),
    }
}

/// `0.35 s`, `90 s`, `1,200 s`.
pub fn seconds(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < HUGE {
        return format!("{} s", grouped(&value.to_string()));
    }
    plain(value).map_or_else(|| NONE.into(), |text| format!("{text} s"))
}

/// `0.842`, `3.14`, `12.3`.
pub fn ratio(value: f64) -> String {
    match value.abs() {
        size if size > 0.0 && size < 0.9995 => format!("{value:.3}"),
        _ => plain(value).unwrap_or_else(|| NONE.into()),
    }
}

/// `0.84`.
pub fn cores(value: f64) -> String {
    if !value.is_finite() || value.abs() >= HUGE {
        return NONE.into();
    }
    format!("{value:.2}")
}

/// `+3.4 %`, `−12 %`.
pub fn change(percent: f64) -> String {
    if !percent.is_finite() || percent.abs() >= HUGE {
        return NONE.into();
    }
    let digits = usize::from(percent.abs() < 9.95);
    let size = format!("{:.digits$}", percent.abs());
    let sign = match percent {
        _ if size.chars().all(|digit| matches!(digit, '0' | '.')) => "",
        up if up > 0.0 => "+",
        _ => "−",
    };
    format!("{sign}{} %", grouped(&size))
}

/// `4.0 KiB`.
pub fn bytes(value: u64) -> String {
    const KIB: f64 = 1024.0;
    let size = value as f64;
    match size {
        _ if size < KIB => format!("{value} B"),
        _ if size < KIB * KIB => format!("{:.1} KiB", size / KIB),
        _ => format!("{:.1} MiB", size / KIB / KIB),
    }
}

/// A figure's value with its unit.
pub fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => ratio(value),
        "1/s" => per_s(value),
        "us" => micros(value),
        "s" => seconds(value),
        _ => plain(value).map_or_else(|| NONE.into(), |text| format!("{text} {unit}").trim_end().to_owned()),
    }
}

/// Three digits that say something, all of a large number's.
fn plain(value: f64) -> Option<String> {
    match value.abs() {
        _ if !value.is_finite() => None,
        size if size < 99.5 => Some(three_digits(value)),
        size if size < HUGE => Some(grouped(&format!("{value:.0}"))),
        _ => Some(format!("{value:.2e}")),
    }
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Commas between thousands, in front of the point.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(per_s(12_345.4), "12,345/s");
        assert_eq!(per_s(12.34), "12.3/s");
        assert_eq!(
            [0.421, 4.2, 31.44, 312.4, 999.7, 1_240.0].map(micros).join(" "),
            "0.42 µs 4.20 µs 31.4 µs 312 µs 1.00 ms 1.24 ms"
        );
        assert_eq!([38_100.0, 999_700.0, 2_100_000.0].map(micros).join(" "), "38.1 ms 1.00 s 2.10 s");
        assert_eq!([0.0, 0.012, 0.62, 3.25, 41.25, 1234.0].map(ratio).join(" "), "0 0.012 0.620 3.25 41.2 1,234");
        assert_eq!([3.44, -12.2, 0.01, 1234.5].map(change).join(" | "), "+3.4 % | −12 % | 0.0 % | +1,234 %");
        assert_eq!([12, 4096, 3 << 20].map(bytes).join(" "), "12 B 4.0 KiB 3.0 MiB");
        assert_eq!([0.354, 2.0, 30.0, 1200.0].map(seconds).join(", "), "0.35 s, 2 s, 30 s, 1,200 s");
        assert_eq!(with_unit(3.0, "keys"), "3.00 keys");
    }

    #[test]
    fn no_number_is_a_dash() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for text in [per_s(value), micros(value), seconds(value), ratio(value), cores(value), change(value)] {
                assert_eq!(text, NONE);
            }
            assert_eq!(with_unit(value, "keys"), NONE);
        }
    }
}
