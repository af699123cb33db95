//! A pairing code as a QR code, drawn by a library.

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

use crate::error::{Error, Result};

/// The code as an SVG image, dark on light, with its quiet zone.
///
/// # Errors
/// [`Error::QrTooLarge`].
pub fn qr_svg(code: &str) -> Result<String> {
    Ok(draw(code)?.render::<svg::Color<'_>>().min_dimensions(320, 320).build())
}

/// The code for a terminal, two modules a character, with its quiet zone. It is drawn light on dark terminals, so that a
/// camera sees dark modules on a light ground.
///
/// # Errors
/// [`Error::QrTooLarge`].
pub fn qr_terminal(code: &str) -> Result<String> {
    let drawn = draw(code)?;
    Ok(drawn
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// Level L: a code on a screen is not dirty or torn, and fewer modules scan from farther away.
fn draw(code: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(code, EcLevel::L).map_err(|_| Error::QrTooLarge { received: code.len() })
}
