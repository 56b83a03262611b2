//! The page's plots, as SVG.
//!
//! They have their own background, so that they are readable on a light or dark page. Lines differ in marker and dashes
//! as well as in colour.

use crate::{gas::Gas, gas::NON_SIGNERS, peers, times::Times};
use anyhow::{Result, anyhow};
use plotters::{
    coord::{
        Shift,
        ranged1d::{DefaultFormatting, KeyPointHint},
    },
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::{collections::BTreeMap, ops::Range};

const SIZE: (u32, u32) = (760, 440);
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Colours that people with any kind of colour vision tell apart (Okabe and Ito, "Color Universal Design", 2008).
const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);

/// The plots of gas, by the names of their files.
///
/// # Errors
/// If a figure is missing or a plot cannot be drawn.
pub fn gas(gas: &Gas) -> Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([
        ("gas-by-operators.svg", by_operators(gas).draw()?),
        ("gas-by-non-signers.svg", by_non_signers(gas).draw()?),
        ("gas-by-batch.svg", by_batch(gas).draw()?),
    ]))
}

/// The plots of times, by the names of their files.
///
/// # Errors
/// If a figure is missing or a plot cannot be drawn.
pub fn time(times: &Times) -> Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([("time-by-batch.svg", time_by_batch(times).draw()?)]))
}

fn by_operators(gas: &Gas) -> Plot {
    let line = |absent: u32| {
        let points =
            gas.protected_call.iter().map(|(operators, gas)| Some((f64::from(*operators), *gas.get(&absent)? as f64)));
        points.flatten().collect::<Vec<_>>()
    };
    let [none, one, ten] = NON_SIGNERS.map(line);
    let eigenlayer = peers::EIGENLAYER.gas[0].map(|gas| gas as f64).unwrap_or_default();
    Plot {
        title: "Gas of a protected call against operators",
        x: Axis::logarithmic("operators", &[10.0, 50.0, 100.0, 1000.0]),
        y: "execution gas",
        lines: vec![
            Line::new("10 non-signers", VERMILION, Marker::Triangle, ten),
            Line::new("1 non-signer", GREEN, Marker::Square, one),
            Line::new("all sign", BLUE, Marker::Circle, none),
            Line::new("EigenLayer, all sign", GREY, Marker::Circle, vec![(10.0, eigenlayer), (100.0, eigenlayer)])
                .dashed(),
        ],
    }
}

fn by_non_signers(gas: &Gas) -> Plot {
    let ours = gas.protected_call.get(&100).into_iter().flatten();
    let ours = ours.map(|(absent, gas)| (f64::from(*absent), *gas as f64)).collect();
    let of = |peer: peers::Peer| {
        let points = NON_SIGNERS.iter().zip(peer.gas);
        points.filter_map(|(absent, gas)| Some((f64::from(*absent), gas? as f64))).collect::<Vec<_>>()
    };
    Plot {
        title: "Gas against non-signers, of 100 operators",
        x: Axis::linear("non-signers", &[0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
        y: "execution gas",
        lines: vec![
            Line::new("EigenLayer middleware", VERMILION, Marker::Triangle, of(peers::EIGENLAYER)).dashed(),
            Line::new("Symbiotic", GREEN, Marker::Square, of(peers::SYMBIOTIC)).dashed(),
            Line::new("Assent, the whole protected call", BLUE, Marker::Circle, ours),
        ],
    }
}

fn by_batch(gas: &Gas) -> Plot {
    let uses = gas.recorded_use.iter().map(|(size, gas)| (f64::from(*size), *gas as f64));
    let with_share = uses.clone().map(|(size, gas_of_use)| (size, gas_of_use + gas.record_root as f64 / size));
    let direct = gas.protected_call.get(&100).and_then(|gas| gas.get(&0)).map(|gas| *gas as f64).unwrap_or_default();
    Plot {
        title: "Gas of a call against the size of its recorded batch",
        x: Axis::logarithmic("attestations under the root", &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0]),
        y: "execution gas, each call",
        lines: vec![
            Line::new("with its own attestation", GREY, Marker::Circle, vec![(1.0, direct), (1024.0, direct)]).dashed(),
            Line::new("use and share of recording", VERMILION, Marker::Triangle, with_share.collect()),
            Line::new("use only", BLUE, Marker::Circle, uses.collect()),
        ],
    }
}

fn time_by_batch(times: &Times) -> Plot {
    let points = |times: &BTreeMap<u32, f64>| times.iter().map(|(size, time)| (f64::from(*size), *time)).collect();
    let (blst, arkworks) = (&times.blst, &times.arkworks);
    Plot {
        title: "Time of verification against the size of the batch, one core",
        x: Axis::logarithmic("attestations verified at once", &[1.0, 16.0, 64.0, 256.0, 1024.0]),
        y: "µs, each attestation",
        lines: vec![
            Line::new("with arkworks", VERMILION, Marker::Triangle, points(&arkworks.batch)),
            Line::new("bare arkworks", GREY, Marker::Square, points(&arkworks.raw_batch)).dashed(),
            Line::new("with blst", BLUE, Marker::Circle, points(&blst.batch)),
            Line::new("bare blst", INK, Marker::Square, points(&blst.raw_batch)).dashed(),
        ],
    }
}

/// Lines over one another, from zero up.
struct Plot {
    title: &'static str,
    x: Axis,
    y: &'static str,
    lines: Vec<Line>,
}

struct Axis {
    label: &'static str,
    scale: Scale,
}

impl Axis {
    fn linear(label: &'static str, ticks: &[f64]) -> Self {
        Self { label, scale: Scale { ticks: ticks.to_vec(), place: |value| value, margin: 0.03 } }
    }

    fn logarithmic(label: &'static str, ticks: &[f64]) -> Self {
        Self { label, scale: Scale { place: f64::log2, ..Self::linear(label, ticks).scale } }
    }
}

/// From the first tick to the last.
#[derive(Clone)]
struct Scale {
    ticks: Vec<f64>,
    /// The position of a value, up to a linear function.
    place: fn(f64) -> f64,
    /// Share of the length that is left free at both ends.
    margin: f64,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let Range { start: first, end: last } = self.range();
        let [first, last, value] = [first, last, *value].map(self.place);
        let share = self.margin + (1.0 - 2.0 * self.margin) * (value - first) / (last - first);
        start + (share * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.ticks.first().copied().unwrap_or(0.0)..self.ticks.last().copied().unwrap_or(1.0)
    }
}

struct Line {
    name: &'static str,
    color: RGBColor,
    marker: Marker,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy)]
enum Marker {
    Circle,
    Square,
    Triangle,
}

impl Line {
    fn new(name: &'static str, color: RGBColor, marker: Marker, points: Vec<(f64, f64)>) -> Self {
        Self { name, color, marker, dashed: false, points }
    }

    /// For what Assent is compared with.
    fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Plot {
    fn draw(&self) -> Result<String> {
        let mut svg = String::new();
        // Its errors borrow the drawing, which ends here.
        self.draw_into(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .map_err(|error| anyhow!("the plot \"{}\" cannot be drawn: {error}", self.title))?;
        Ok(svg)
    }

    fn draw_into(&self, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let (title, rest) = area.split_vertically(40);
        let (legend, rest) = rest.split_vertically(28);
        title.draw(&Text::new(self.title, (16, 14), (FONT, 19).into_font().color(&INK)))?;
        self.draw_legend(&legend)?;

        let top = self.lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.0, f64::max);
        let y_scale = Scale { ticks: ticks_up_to(top), place: |value| value, margin: 0.0 };
        let mut chart = ChartBuilder::on(&rest)
            .margin(12)
            .margin_right(24)
            .x_label_area_size(48)
            .y_label_area_size(80)
            .build_cartesian_2d(self.x.scale.clone(), y_scale)?;
        chart
            .configure_mesh()
            .x_desc(self.x.label)
            .y_desc(self.y)
            .x_label_formatter(&|value| grouped(*value))
            .y_label_formatter(&|value| grouped(*value))
            .label_style((FONT, 14).into_font().color(&INK))
            .axis_desc_style((FONT, 15).into_font().color(&INK))
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for line in &self.lines {
            let points = line.points.clone();
            if line.dashed {
                chart.draw_series(DashedLineSeries::new(points, 7, 5, line.color.stroke_width(2)))?;
            } else {
                chart.draw_series(LineSeries::new(points, line.color.stroke_width(2)))?;
            }
            for point in &line.points {
                draw_marker(area, chart.backend_coord(point), line)?;
            }
        }
        area.present()?;
        Ok(())
    }

    /// Side by side above the plot, where no line runs through it.
    fn draw_legend(&self, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
        /// Wider than a letter of the font is on average.
        const LETTER: i32 = 8;
        let mut left = 92;
        for line in &self.lines {
            let style = (FONT, 14).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&PathElement::new([(left, 12), (left + 28, 12)], line.color.stroke_width(2)))?;
            draw_marker(area, (left + 14, 12), line)?;
            area.draw(&Text::new(line.name, (left + 36, 12), style))?;
            left += 36 + LETTER * i32::try_from(line.name.len())? + 16;
        }
        Ok(())
    }
}

fn draw_marker(area: &Area<'_>, (x, y): (i32, i32), line: &Line) -> Result<(), Box<dyn std::error::Error>> {
    // Hollow where the line is dashed.
    let style = if line.dashed { WHITE.filled() } else { line.color.filled() };
    let edge = line.color.stroke_width(2);
    match line.marker {
        Marker::Circle => {
            area.draw(&Circle::new((x, y), 5, style))?;
            area.draw(&Circle::new((x, y), 5, edge))?;
        }
        Marker::Square => {
            area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], style))?;
            area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], edge))?;
        }
        Marker::Triangle => {
            let corners = [(x, y - 6), (x + 6, y + 5), (x - 6, y + 5)];
            area.draw(&Polygon::new(corners, style))?;
            area.draw(&PathElement::new([corners[0], corners[1], corners[2], corners[0]], edge))?;
        }
    }
    Ok(())
}

/// Round numbers from zero to above the greatest value, at most seven.
fn ticks_up_to(greatest: f64) -> Vec<f64> {
    let magnitude = 10f64.powf(greatest.max(1.0).log10().floor() - 1.0);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(|factor| factor * magnitude);
    let step = step.into_iter().find(|step| greatest / step < 6.0).unwrap_or(greatest);
    (0..8).map(|count| f64::from(count) * step).take_while(|tick| *tick < greatest + step).collect()
}

/// Digits in groups of three.
fn grouped(value: f64) -> String {
    crate::tables::thousands(value.round() as u64)
}
