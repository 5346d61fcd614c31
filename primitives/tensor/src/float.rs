//! IEEE 754 numbers as integers: a floating-point number is a whole number times a power of two.

/// A floating-point format, read from its bits without floating-point arithmetic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Float {
    /// binary16: 5 bits of exponent, 10 of fraction.
    F16,
    /// binary32: 8 bits of exponent, 23 of fraction.
    F32,
}

/// A finite number: `±mantissa * 2^exponent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Split {
    pub(crate) negative: bool,
    /// Below 2^11 for `F16`, below 2^24 for `F32`.
    pub(crate) mantissa: u32,
    /// -24 to 5 for `F16`, -149 to 104 for `F32`.
    pub(crate) exponent: i32,
}

impl Float {
    /// Length of a number in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }

    const fn fraction_bits(self) -> u32 {
        match self {
            Self::F16 => 10,
            Self::F32 => 23,
        }
    }

    const fn sign_bit(self) -> u32 {
        match self {
            Self::F16 => 1 << 15,
            Self::F32 => 1 << 31,
        }
    }

    /// The exponent of two of the smallest positive number.
    const fn min_exponent(self) -> i32 {
        match self {
            Self::F16 => -24,
            Self::F32 => -149,
        }
    }

    /// The bits of infinity; those of a NaN are larger.
    pub(crate) const fn infinity(self) -> u32 {
        match self {
            Self::F16 => 0x7c00,
            Self::F32 => 0x7f80_0000,
        }
    }

    /// The bits without the sign. Of two numbers the larger in magnitude has the larger bits.
    pub(crate) const fn magnitude(self, bits: u32) -> u32 {
        bits & (self.sign_bit() - 1)
    }

    /// Whether the number with these bits is neither infinite nor a NaN.
    pub(crate) const fn is_finite(self, bits: u32) -> bool {
        self.magnitude(bits) < self.infinity()
    }

    /// The bits of a number stored in little endian.
    pub(crate) fn bits(self, bytes: &[u8]) -> Option<u32> {
        match self {
            Self::F16 => bytes.try_into().ok().map(|bytes| u16::from_le_bytes(bytes).into()),
            Self::F32 => bytes.try_into().ok().map(u32::from_le_bytes),
        }
    }

    /// The number with these bits, if it is finite.
    pub(crate) fn split(self, bits: u32) -> Option<Split> {
        if !self.is_finite(bits) {
            return None;
        }
        let magnitude = self.magnitude(bits);
        let hidden = 1 << self.fraction_bits();
        let fraction = magnitude & (hidden - 1);
        let field = (magnitude >> self.fraction_bits()).cast_signed();
        let (mantissa, exponent) = match field {
            0 => (fraction, self.min_exponent()),
            _ => (fraction | hidden, self.min_exponent() + field - 1),
        };
        Some(Split { negative: bits & self.sign_bit() != 0, mantissa, exponent })
    }

    /// The number with these bits in units of 2^-`fraction`, rounded to the nearest, a tie to the even one.
    ///
    /// Nothing if the number is not finite, or 2^62 units or more in magnitude.
    pub fn fixed(self, bits: u32, fraction: u32) -> Option<i64> {
        let split = self.split(bits)?;
        let shift = split.exponent.checked_add(fraction.try_into().ok()?)?;
        let mantissa = i64::from(split.mantissa);
        let magnitude = match u32::try_from(shift) {
            _ if mantissa == 0 => 0,
            Ok(up) if up < mantissa.leading_zeros().saturating_sub(1) => mantissa << up,
            Ok(_) => return None,
            Err(_) => halved(mantissa, shift.unsigned_abs()),
        };
        Some(if split.negative { -magnitude } else { magnitude })
    }
}

/// `number / 2^bits`, rounded to the nearest whole number, a tie to the even one. `number` is below 2^24 and not
/// negative.
const fn halved(number: i64, bits: u32) -> i64 {
    if bits > 32 {
        return 0;
    }
    let (kept, rest, half) = (number >> bits, number & ((1 << bits) - 1), 1 << (bits - 1));
    if rest > half || (rest == half && kept & 1 == 1) {
        return kept + 1;
    }
    kept
}
