//! What the pipeline does, on a store.

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactSource, ArtifactStatus, PublishArtifactRequest};
use artstore_core::page::PageRequest;
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_example_daily_report::{Day, Outcome, Sales};
use artstore_testkit::samples::{artifact_id, artifact_type, logical_key};

use crate::worlds::World;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn today() -> Day {
    day("2026-11-20")
}

fn csv(cents: i64) -> String {
    format!("time,shop,cents\n2026-11-20T09:00:00Z,north,{cents}\n2026-11-20T10:00:00Z,south,5\n")
}

fn sales(cents: i64) -> Sales {
    Sales::from_csv(csv(cents).into()).unwrap()
}

pub(crate) async fn a_day_is_reported(world: &World) {
    let pipeline = world.pipeline().await;
    assert_eq!(pipeline.latest().await.unwrap(), None);
    assert_eq!(pipeline.report_on(&today()).await.unwrap(), None);
    let outcome = pipeline.run(&today(), &sales(1250)).await.unwrap();
    let Outcome::Reported { report, replaced } = &outcome else {
        panic!("{outcome:?} is new");
    };
    assert!(replaced.is_empty());
    let on_today = pipeline.report_on(&today()).await.unwrap();
    assert_eq!(on_today.as_ref(), Some(report));
    assert_eq!(pipeline.latest().await.unwrap().as_ref(), Some(report));
    assert_eq!(pipeline.report(report.id).await.unwrap(), *report);
    let text = pipeline.text_of(report.id).await.unwrap();
    assert!(text.contains("north: 12.50 in 1 sales"), "{text}");

    let tables = pipeline.sources_of(report.id).await.unwrap();
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0].row_count, Some(2));
    let earliest = tables[0].min_timestamp.map(|time| time.to_string());
    assert_eq!(earliest.as_deref(), Some("2026-11-20T09:00:00.000Z"));
    let error = pipeline.sources_of(artifact_id(999)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

pub(crate) async fn the_same_sales_are_reported_once(world: &World) {
    let pipeline = world.pipeline().await;
    let first = pipeline.run(&today(), &sales(1250)).await.unwrap();
    let second = pipeline.run(&today(), &sales(1250)).await.unwrap();
    assert_eq!(second, Outcome::Unchanged(first.report().clone()));
    // Another day with the same sales has a report of its own.
    let other = pipeline
        .run(&day("2026-11-21"), &sales(1250))
        .await
        .unwrap();
    assert_ne!(other.report().id, first.report().id);
    assert_eq!(
        pipeline.latest().await.unwrap().as_ref(),
        Some(other.report())
    );
    let on_today = pipeline.report_on(&today()).await.unwrap();
    assert_eq!(on_today.as_ref(), Some(first.report()));
}

pub(crate) async fn a_wrong_report_is_replaced(world: &World) {
    let pipeline = world.pipeline().await;
    let wrong = pipeline.run(&today(), &sales(1250)).await.unwrap();
    let wrong_id = wrong.report().id;
    let right = pipeline.run(&today(), &sales(999)).await.unwrap();
    let Outcome::Reported { report, replaced } = &right else {
        panic!("{right:?} is new");
    };
    assert_eq!(*replaced, [wrong_id]);
    let former = pipeline.report(wrong_id).await.unwrap();
    assert_eq!(former.status, ArtifactStatus::Superseded);
    assert_eq!(former.superseded_by, Some(report.id));
    let on_today = pipeline.report_on(&today()).await.unwrap();
    assert_eq!(on_today.map(|report| report.id), Some(report.id));

    let former_tables = pipeline.sources_of(wrong_id).await.unwrap();
    assert_eq!(former_tables[0].status, ArtifactStatus::Superseded);
    let tables = pipeline.sources_of(report.id).await.unwrap();
    assert_eq!(former_tables[0].superseded_by, Some(tables[0].id));
}

pub(crate) async fn a_correction_can_be_taken_back(world: &World) {
    let pipeline = world.pipeline().await;
    let first = pipeline.run(&today(), &sales(1)).await.unwrap();
    let second = pipeline.run(&today(), &sales(2)).await.unwrap();
    let third = pipeline.run(&today(), &sales(1)).await.unwrap();
    // What was replaced is not a duplicate any more.
    assert_ne!(third.report().id, first.report().id);
    let Outcome::Reported { replaced, .. } = &third else {
        panic!("{third:?} is new");
    };
    assert_eq!(*replaced, [second.report().id]);
}

pub(crate) async fn an_interrupted_run_goes_on(world: &World) {
    let pipeline = world.pipeline().await;
    let wrong = pipeline.run(&today(), &sales(1250)).await.unwrap();
    // As after a death right behind the first step: the table is there, nothing else.
    let table = PublishArtifactRequest::table(
        artifact_type("daily_sales"),
        logical_key("day=2026-11-20"),
        ArtifactSource::Bytes(csv(7).into()),
        TableFormat::Csv(CsvOptions::default()),
    );
    let table = world.store.publish_artifact(table).await.unwrap();
    let outcome = pipeline.run(&today(), &sales(7)).await.unwrap();
    let Outcome::Reported { report, replaced } = &outcome else {
        panic!("{outcome:?} is new");
    };
    assert_eq!(*replaced, [wrong.report().id]);
    let tables = pipeline.sources_of(report.id).await.unwrap();
    assert_eq!(tables[0].id, table.artifact().id);
}

pub(crate) async fn a_withdrawn_report_is_made_again(world: &World) {
    let pipeline = world.pipeline().await;
    let first = pipeline.run(&today(), &sales(1250)).await.unwrap();
    let withdrawn = first.report().id;
    let gone = world.store.tombstone(withdrawn, "wrong layout", None).await;
    assert_eq!(gone.unwrap().status, ArtifactStatus::Tombstoned);
    assert_eq!(pipeline.report_on(&today()).await.unwrap(), None);
    let second = pipeline.run(&today(), &sales(1250)).await.unwrap();
    assert_ne!(second.report().id, withdrawn);
    assert_eq!(second.report().status, ArtifactStatus::Active);
}

pub(crate) async fn two_corrections_with_one_report_share_it(world: &World) {
    let pipeline = world.pipeline().await;
    let first = pipeline.run(&today(), &sales(1250)).await.unwrap();
    // Another table, of which the report says the same.
    let later = csv(1250).replace("09:00", "09:01");
    let later = Sales::from_csv(later.into()).unwrap();
    let second = pipeline.run(&today(), &later).await.unwrap();
    assert_eq!(second.report().id, first.report().id);
    let tables = pipeline.sources_of(first.report().id).await.unwrap();
    let statuses: Vec<_> = tables.iter().map(|table| table.status).collect();
    assert_eq!(
        statuses,
        [ArtifactStatus::Superseded, ArtifactStatus::Active]
    );
}

pub(crate) async fn many_days_are_reported_in_few_calls(world: &World) {
    let pipeline = world.pipeline().await;
    let wrong = pipeline.run(&day("2026-11-03"), &sales(1)).await.unwrap();
    let mut days: Vec<_> = (1..=20)
        .map(|number| (day(&format!("2026-11-{number:02}")), sales(100 * number)))
        .collect();
    // A table that its registered type does not allow: nothing but its own day fails.
    let broken = csv(1).replace("2026-11-20T09:00:00Z", "at nine");
    days[4].1 = Sales::from_csv(broken.into()).unwrap();
    let results = pipeline.backfill(&days).await.unwrap();
    let in_order: Vec<_> = results.iter().map(|result| &result.day).collect();
    assert!(in_order.into_iter().eq(days.iter().map(|(day, _)| day)));
    for result in &results {
        if result.day == days[4].0 {
            let error = result.report.as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            continue;
        }
        let report = result.report.as_ref().unwrap();
        let in_force = pipeline.report_on(&result.day).await.unwrap();
        assert_eq!(in_force.map(|report| report.id), Some(report.id));
    }
    let former = pipeline.report(wrong.report().id).await.unwrap();
    assert_eq!(former.status, ArtifactStatus::Superseded);
    let again = pipeline.backfill(&days[..3]).await.unwrap();
    for (again, first) in again.iter().zip(&results) {
        let again = again.report.as_ref().unwrap();
        assert_eq!(again.id, first.report.as_ref().unwrap().id);
    }
}

pub(crate) async fn every_report_is_streamed(world: &World) {
    let pipeline = world.pipeline().await;
    assert!(pipeline.reports().await.unwrap().is_empty());
    let mut expected = Vec::new();
    for number in 1..=5 {
        let day = day(&format!("2026-11-{number:02}"));
        pipeline.run(&day, &sales(number)).await.unwrap();
        let corrected = pipeline.run(&day, &sales(10 + number)).await.unwrap();
        expected.push((day, corrected.report().id));
    }
    let reports = pipeline.reports().await.unwrap();
    assert_eq!(reports.into_iter().collect::<Vec<_>>(), expected);
    let page = PageRequest::default();
    let all = world.store.list_artifacts(&Default::default(), &page).await;
    assert_eq!(all.unwrap().items.len(), 20);
}
