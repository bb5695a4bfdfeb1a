//! The embedder's colours. One that could not be read where it stands is made darker or lighter until it can.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tombolo_platform::connect::ConnectUi;

use crate::routes::Routes;

/// How many times brighter than the darker one the brighter of two colours is to be where one is written on the other
/// (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;

/// The accents of the pages by themselves, as `tokens.css` has them.
const LIGHT: &str = "#0f766e";
const DARK: &str = "#2dd4bf";

/// The colours of pages by theme.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Colours {
    /// In daylight.
    pub(crate) light: Accent,
    /// In the dark.
    pub(crate) dark: Accent,
}

/// What can be pressed, and what goes with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accent {
    /// The colour of buttons and borders.
    pub(crate) primary: String,
    /// Words in that colour.
    strong: String,
    /// What is written on it.
    on: String,
    /// What lies under a choice.
    soft: String,
}

impl Colours {
    /// The colours that the embedder chose, or else our own.
    pub(crate) fn of(look: &ConnectUi) -> Self {
        // What the accents stand on: the darkest surface in daylight, and the lightest in the dark.
        let light = Colour::read(&look.primary_light).or_else(|| Colour::read(LIGHT));
        let dark = Colour::read(&look.primary_dark).or_else(|| Colour::read(DARK));
        Self {
            light: Accent::new(light.unwrap_or(Colour::BLACK), Colour([0xee, 0xf1, 0xf2]), Colour::BLACK),
            dark: Accent::new(dark.unwrap_or(Colour::WHITE), Colour([0x1c, 0x23, 0x26]), Colour::WHITE),
        }
    }

    /// The style sheet that has them stand in the place of our own; nothing when nobody chose.
    fn sheet(look: &ConnectUi) -> String {
        if look.primary_light.is_empty() && look.primary_dark.is_empty() {
            return String::new();
        }
        let Self { light, dark } = Self::of(look);
        let mut sheet = ":root {\n".to_owned();
        let names = ["--accent", "--accent-strong", "--on-accent", "--accent-soft"];
        for ((name, light), dark) in names.into_iter().zip(light.all()).zip(dark.all()) {
            // Writing to a text does not fail.
            let _ = writeln!(sheet, "  {name}: light-dark({light}, {dark});");
        }
        sheet + "}\n"
    }
}

impl Accent {
    /// `far` is the end of the scale away from the surface.
    fn new(wanted: Colour, surface: Colour, far: Colour) -> Self {
        let primary = wanted.readable_on(surface, far);
        let soft = surface.mixed(primary, 0.08);
        let strong = primary.mixed(far, 0.15).readable_on(soft, far);
        let on = if primary.contrast(Colour::WHITE) >= primary.contrast(Colour::BLACK) {
            Colour::WHITE
        } else {
            Colour::BLACK
        };
        Self { primary: primary.text(), strong: strong.text(), on: on.text(), soft: soft.text() }
    }

    fn all(&self) -> [&str; 4] {
        [&self.primary, &self.strong, &self.on, &self.soft]
    }
}

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |start: usize| u8::from_str_radix(&digits[start..start + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn text(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// How bright it is to the eye, from 0 to 1 (WCAG 2.2, relative luminance).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// So much of the other colour, from 0 to 1.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            let mixed = f64::from(*part).mul_add(1.0 - share, f64::from(other) * share);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it lies between two bytes"
            )]
            let mixed = mixed.round() as u8;
            *part = mixed;
        }
        Self(parts)
    }

    /// This colour, or as much of the far end in it as it takes to be read on a surface. The far end can be read on it.
    fn readable_on(self, surface: Self, far: Self) -> Self {
        let steps = (0..=50u8).map(|step| self.mixed(far, f64::from(step) / 50.0));
        steps.into_iter().find(|colour| colour.contrast(surface) >= CONTRAST).unwrap_or(far)
    }
}

/// The style sheet of an environment's colours. Public: whoever sees the page sees them.
pub(super) async fn sheet(State(routes): State<Routes>, Path(environment): Path<String>) -> Response {
    match routes.platform.linking_environment(&environment).await {
        Ok(Some(settings)) => {
            let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
            (headers, Colours::sheet(&settings.connect_ui)).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(light: &str, dark: &str) -> ConnectUi {
        ConnectUi { primary_light: light.to_owned(), primary_dark: dark.to_owned(), ..ConnectUi::default() }
    }

    #[test]
    fn every_colour_can_be_read_where_it_stands() {
        let some = ["#ffff00", "#ffffff", "#000000", "#0f766e", "#ff0000", "#00ff00", "#888888", "#1d4ed8"];
        for (light, dark) in some.iter().flat_map(|light| some.iter().map(move |dark| (light, dark))) {
            let colours = Colours::of(&look(light, dark));
            for (accent, surfaces) in
                [(&colours.light, ["#ffffff", "#eef1f2"]), (&colours.dark, ["#151a1c", "#1c2326"])]
            {
                let [primary, strong, on, soft] =
                    accent.all().map(|text| Colour::read(text).expect("a colour"));
                for surface in surfaces.map(|text| Colour::read(text).expect("a colour")) {
                    assert!(primary.contrast(surface) >= CONTRAST, "{light} {dark}: {accent:?}");
                }
                for (ink, paper) in [(on, primary), (strong, soft)] {
                    assert!(ink.contrast(paper) >= CONTRAST, "{light} {dark}: {accent:?}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays() {
        assert_eq!(Colours::of(&ConnectUi::default()).light.primary, LIGHT);
        assert_eq!(Colours::of(&ConnectUi::default()).dark.primary, DARK);
        assert_eq!(Colours::of(&look("#1d4ed8", "")).light.primary, "#1d4ed8");
        assert_eq!(Colours::sheet(&ConnectUi::default()), "");
        insta::assert_snapshot!(Colours::sheet(&look("#ffd400", "#7c3aed")), @r"
        :root {
          --accent: light-dark(#806a00, #a171f2);
          --accent-strong: light-dark(#6d5a00, #af86f4);
          --on-accent: light-dark(#ffffff, #000000);
          --accent-soft: light-dark(#e5e6df, #272936);
        }
        ");
    }
}
