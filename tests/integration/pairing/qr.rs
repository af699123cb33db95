//! QR pictures of pairing codes.

use pulse_trust::pairing::{qr_svg, qr_terminal};

use super::vector::File;

#[test]
fn the_terminal_picture_has_its_quiet_zone_and_finders() {
    let file = File::read();
    let code = file.full_case().build().unwrap().secret_compact_code().expose_secret().to_owned();
    let picture = qr_terminal(&code).unwrap();
    let lines: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
    let width = lines[0].len();
    // 17 + 4 modules a version, and 4 light modules on each side; two rows a line.
    assert_eq!((width - 25) % 4, 0);
    assert_eq!(lines.len(), width.div_ceil(2));
    assert!(lines.iter().all(|line| line.len() == width && line.iter().all(|block| " ▀▄█".contains(*block))));
    // Light is drawn: the quiet zone is full blocks, the finder's dark ring is blank.
    assert!(lines[..2].iter().flatten().all(|block| *block == '█'));
    assert!(lines.iter().take(lines.len() - 1).all(|line| line[..4] == ['█'; 4] && line[width - 4..] == ['█'; 4]));
    assert_eq!(lines[2][4..12].iter().collect::<String>(), " ▄▄▄▄▄ █");
    assert_eq!(lines[3][4..12].iter().collect::<String>(), " █   █ █");
    assert_eq!(
        lines[2][width - 11..].iter().collect::<String>(),
        "█ ▄▄▄▄▄ ████"[..].chars().skip(1).collect::<String>()
    );
    // Small enough for a terminal of 80 columns.
    assert!(width <= 80, "{width}");
}

#[test]
fn the_svg_picture_is_dark_on_light() {
    let svg = qr_svg("pulse://connect?auth_token=t").unwrap();
    assert!(svg.starts_with("<?xml version=\"1.0\" standalone=\"yes\"?><svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(svg.contains("fill=\"#fff\"/><path fill=\"#000\" d=\"M"));
    assert!(svg.ends_with("</svg>"));
}

#[test]
fn what_is_in_the_text_never_gets_into_the_svg() {
    assert!(!qr_svg("</svg><script>alert(1)</script>").unwrap().contains("script"));
}

#[test]
fn a_text_that_no_picture_holds_is_refused() {
    // Lower case, so that nothing but bytes can hold it.
    for draw in [qr_svg, qr_terminal] {
        assert!(draw(&"a".repeat(2953)).is_ok());
        assert_error!(draw(&"a".repeat(2954)).unwrap_err(), QrTooLarge { received: 2954 });
        assert_error!(draw(&"1".repeat(100_000)).unwrap_err(), QrTooLarge { received: 100_000 });
    }
}

#[test]
fn the_room_that_is_left_over_goes_into_error_correction() {
    // 17 bytes fill version 1 at level L; 7 bytes leave room for level H in the same size.
    let width = |text: &str| qr_terminal(text).unwrap().lines().next().unwrap().chars().count();
    assert_eq!(width(&"a".repeat(17)), 21 + 8);
    assert_eq!(width(&"a".repeat(7)), 21 + 8);
    assert_eq!(width(&"a".repeat(18)), 25 + 8);
    let level = |text: &str| {
        // The two modules of the format information that hold the level, at row 8, columns 0 and 1, XOR the mask of 10.
        let picture = qr_terminal(text).unwrap();
        let line: Vec<char> = picture.lines().nth(6).unwrap().chars().collect();
        let is_dark = |block: char| matches!(block, ' ' | '▄');
        (is_dark(line[4]), is_dark(line[5]))
    };
    let (l, h) = ((true, true), (false, false));
    assert_eq!(level(&"a".repeat(17)), l);
    assert_eq!(level(&"a".repeat(7)), h);
}
