//! Pairing codes as QR pictures (feature `qr`).

use qrcode::render::svg;
use qrcode::render::unicode::Dense1x2;
use qrcode::types::QrResult;
use qrcode::{EcLevel, QrCode};

use crate::error::{Error, Result};

/// What the largest QR picture holds (ISO/IEC 18004: version 40, level L, bytes).
const MAX_LEN: usize = 2953;

/// Draws `text` as an SVG picture, black on white, with the quiet zone of four modules. Scale it to at least three
/// pixels a module.
///
/// # Errors
/// [`Error::QrTooLarge`] over 2,953 bytes. The compact code of a pairing is some 250 bytes long.
pub fn qr_svg(text: &str) -> Result<String> {
    Ok(draw(text)?.render::<svg::Color<'_>>().min_dimensions(320, 320).build())
}

/// Draws `text` in half blocks, two modules a character, without color codes, with the quiet zone of four modules.
/// The light modules are what is drawn, so that the picture is dark on light on a terminal with a dark background;
/// on a light one it is inverted, which phones read too. The lines are joined by line feeds, with none at the end.
///
/// # Errors
/// As [`qr_svg`].
pub fn qr_terminal(text: &str) -> Result<String> {
    let code = draw(text)?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

/// The smallest picture that holds the text, with the highest error correction that this size has room for. A code on a
/// screen suffers from small modules, glare and a shaky hand, not from dirt: so size comes first, and only the
/// remaining room goes into error correction.
fn draw(text: &str) -> Result<QrCode> {
    if text.len() > MAX_LEN {
        return Err(Error::QrTooLarge { received: text.len() });
    }
    let smallest = QrCode::with_error_correction_level(text, EcLevel::L);
    let better = |level| smallest.as_ref().ok().and_then(|code| redraw(text, code, level).ok());
    match [EcLevel::H, EcLevel::Q, EcLevel::M].into_iter().find_map(better) {
        Some(code) => Ok(code),
        None => smallest.map_err(|_| Error::QrTooLarge { received: text.len() }),
    }
}

/// The same size at another level; an error where the text does not fit.
fn redraw(text: &str, code: &QrCode, level: EcLevel) -> QrResult<QrCode> {
    QrCode::with_version(text, code.version(), level)
}
