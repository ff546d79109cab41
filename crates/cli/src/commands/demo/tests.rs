use artstore_core::ErrorKind;
use clap::Parser as _;

use super::*;
use crate::arguments::Arguments;
use crate::output::Format;

async fn play(place: &Place, output: &Output) -> Result<Vec<String>, Failure> {
    let mut context = place.context()?;
    let mut teller = Teller::new(output);
    let played = Story::new(&mut context, place, &mut teller).play().await;
    context.close().await;
    played?;
    let steps = teller.document.steps.into_iter();
    Ok(steps.map(|step| step.command).collect())
}

/// The words of a command that quotes nothing but single words.
fn words(command: &str) -> Vec<String> {
    let words = command.split(' ');
    words
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

#[tokio::test]
async fn every_command_can_be_typed() {
    let place = Place::make(None).await.unwrap();
    let commands = play(&place, &Output::new(Format::Json).unwrap())
        .await
        .unwrap();
    let typed: Vec<_> = commands
        .iter()
        .filter(|command| command.starts_with("artstore "))
        .collect();
    assert_eq!(typed.len(), 12);
    for command in typed {
        let parsed = Arguments::try_parse_from(words(command));
        assert!(parsed.is_ok(), "{command}: {:?}", parsed.err());
    }
}

#[tokio::test]
async fn what_is_not_as_it_is_told_is_an_error() {
    // Another table instead of the same one, no table, the same table instead of another one.
    let cases = [
        (
            place::RESPELLED,
            "date;wind\n2012-01-01;4.7\n",
            ErrorKind::Internal,
        ),
        (place::TABLE, "no table\n1,2\n", ErrorKind::Invalid),
        (
            place::CORRECTED,
            include_str!("../../../demo/weather.csv"),
            ErrorKind::Internal,
        ),
    ];
    for (file, content, kind) in cases {
        let place = Place::make(None).await.unwrap();
        std::fs::write(place.file(file), content).unwrap();
        let played = play(&place, &Output::new(Format::Json).unwrap()).await;
        match played.unwrap_err() {
            Failure::Error(error) => assert_eq!(error.kind(), kind, "{file}: {error}"),
            other => panic!("{file}: {other:?}"),
        }
    }
}

#[test]
fn the_report_is_made_from_the_table() {
    let mut months: Vec<(&str, Vec<[f64; 3]>)> = Vec::new();
    let table = include_str!("../../../demo/weather.csv");
    for line in table.lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let day = [1, 2, 3].map(|column| fields[column].parse().unwrap());
        match months.last_mut() {
            Some((month, days)) if *month == &line[..7] => days.push(day),
            _ => months.push((&line[..7], vec![day])),
        }
    }
    let report = include_str!("../../../demo/report.txt");
    let told: Vec<&str> = report.lines().skip(3).collect();
    assert_eq!(told.len(), months.len());
    for (told, (month, days)) in told.into_iter().zip(months) {
        let column = |column: usize| days.iter().map(move |day| day[column]);
        let wet = column(0).filter(|amount| *amount > 0.0).count();
        let expected = format!(
            "{month}    {:2}        {wet:2}             {:5.1}      {:5.1}      {:5.1}",
            days.len(),
            column(0).sum::<f64>(),
            column(1).fold(f64::MIN, f64::max),
            column(2).fold(f64::MAX, f64::min),
        );
        assert_eq!(told, expected);
    }
}

#[test]
fn words_survive_a_shell() {
    let words = ["/tmp/a-b", "it's", "a b", "", "$HOME"];
    assert_eq!(
        words.map(|word| place::word(word).into_owned()),
        ["/tmp/a-b", r"'it'\''s'", "'a b'", "''", "'$HOME'"]
    );
}
