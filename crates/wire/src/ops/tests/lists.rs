use artstore_core::artifact::ArtifactFilter;
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::page::{Cursor, ListPart, Page, PageRequest};
use mockall::predicate::eq;

use super::*;

/// A filter is asked for as this one, with this page, and one artifact is found.
async fn check(filter: Value, expected: ArtifactFilter, limit: u32) {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_list_artifacts()
        .with(eq(expected), eq(PageRequest::first(limit).unwrap()))
        .times(1)
        .returning(|_, _| {
            Ok(Page {
                items: vec![file()],
                next: None,
            })
        });
    let request = json!({"operation": "list_artifacts", "filter": filter});
    let found = answer(&store, request).await.unwrap();
    assert_eq!(found[0]["artifactId"], ID);
}

#[tokio::test]
async fn every_key_of_a_filter_is_passed_on() {
    let filter = json!({
        "artifactType": "alerts_v1",
        "status": "active",
        "tags": {"chain": "solana", "with-dash.dot": ["a", "--; DROP"]},
        "minCreatedAt": "2026-01-27",
        "maxCreatedAt": "2026-01-27T10:00:00Z",
        "keyPrefix": "day=",
        "overlaps": "2025-05-01..",
        "limit": 10000,
    });
    let expected = ArtifactFilter {
        artifact_type: Some(ArtifactType::new("alerts_v1").unwrap()),
        status: Some(ArtifactStatus::Active),
        tags: Tags::try_from([
            ("chain", "solana"),
            ("with-dash.dot", "a"),
            ("with-dash.dot", "--; DROP"),
        ])
        .unwrap(),
        key_prefix: Some("day=".into()),
        created_from: Some("2026-01-27T00:00:00Z".parse().unwrap()),
        created_before: Some("2026-01-27T10:00:00.001Z".parse().unwrap()),
        overlaps: Some("2025-05-01..".parse().unwrap()),
    };
    check(filter, expected, 10_000).await;
}

#[tokio::test]
async fn what_is_empty_does_not_filter() {
    for filter in [
        json!(null),
        json!({}),
        json!({"artifactType": "", "status": null, "tags": {}, "minCreatedAt": "", "keyPrefix": "", "overlaps": 0}),
    ] {
        check(filter, ArtifactFilter::default(), 100).await;
    }
}

#[tokio::test]
async fn the_latest_time_is_included() {
    for (given, before) in [
        ("2026-01-27", Some("2026-01-28T00:00:00.000Z")),
        ("2026-12-31", Some("2027-01-01T00:00:00.000Z")),
        ("2026-01-27T10:00:00.779Z", Some("2026-01-27T10:00:00.780Z")),
        (
            "2026-01-27T10:00:00+02:00",
            Some("2026-01-27T08:00:00.001Z"),
        ),
        ("9999-12-30", None),
    ] {
        let expected = ArtifactFilter {
            created_before: before.map(|time| time.parse().unwrap()),
            ..ArtifactFilter::default()
        };
        check(json!({"maxCreatedAt": given}), expected, 100).await;
    }
}

#[tokio::test]
async fn limits_are_whole_numbers_in_range() {
    for (given, told) in [
        (json!(0), "0"),
        (json!(10_001), "10001"),
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!("5"), "\"5\""),
        (json!(true), "true"),
        (json!(null), "null"),
    ] {
        let error =
            refused(json!({"operation": "list_artifacts", "filter": {"limit": given}})).await;
        let expected = json!({
            "error": format!("Invalid limit value: {told} (must be between 1 and 10000)"),
            "type": "ValueError",
            "operation": "list_artifacts",
            "code": "invalid",
        });
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn wrong_filters_are_named() {
    for (filter, said) in [
        (
            json!({"artifact_type": "x"}),
            "Unknown field: 'filter.artifact_type'",
        ),
        (json!({"status": "gone"}), "not a valid artifact status"),
        (
            json!({"status": 7}),
            "the field 'filter.status' must be a text",
        ),
        (
            json!({"tags": ["x"]}),
            "the field 'filter.tags' must be an object",
        ),
        (
            json!({"tags": {"a": 1}}),
            "the field 'filter.tags.a' must be a text",
        ),
        (json!({"minCreatedAt": "soon"}), "not a valid time"),
        (json!({"overlaps": "2025"}), "not a valid time span"),
        (json!([1]), "the field 'filter' must be an object"),
    ] {
        let error = refused(json!({"operation": "list_artifacts", "filter": filter})).await;
        let told = error["error"].as_str().unwrap();
        assert!(told.starts_with(said), "{filter}: {told}");
        assert_eq!(error["code"], "invalid");
    }
}

fn cursor() -> Cursor {
    Cursor {
        created_at: "2026-11-20T09:30:00.123Z".parse().unwrap(),
        id: id(ID),
        part: ListPart::First,
    }
}

#[tokio::test]
async fn a_page_tells_where_the_next_one_begins() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_list_artifacts()
        .withf(|_, page| page.limit() == 2 && page.cursor() == Some(cursor()))
        .times(1)
        .returning(|_, _| {
            Ok(Page {
                items: vec![file()],
                next: Some(cursor()),
            })
        });
    let after = cursor().to_string();
    let request =
        json!({"operation": "list_artifacts", "filter": {"limit": 2}, "page": {"after": after}});
    let found = answer(&store, request).await.unwrap();
    assert_eq!(
        (&found["items"][0]["artifactId"], &found["next"]),
        (&json!(ID), &json!(after))
    );

    let mut store = MockArtifactStorePort::new();
    store.expect_list_artifacts().returning(|_, page| {
        assert_eq!(page, &PageRequest::default());
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    });
    let request = json!({"operation": "list_artifacts", "page": {}});
    assert_eq!(answer(&store, request).await.unwrap(), json!({"items": []}));
    let wrong = json!({"operation": "list_artifacts", "page": {"limit": 0}});
    let told = refused(wrong).await["error"].clone();
    assert_eq!(told, "Invalid limit value: 0 (must be between 1 and 10000)");
    let wrong = json!({"operation": "list_artifacts", "page": {"after": "x"}});
    assert_eq!(refused(wrong).await["context"]["field"], "page.after");
}

#[tokio::test]
async fn a_key_is_found_with_all_its_pages_each_artifact_once() {
    let artifact_type = ArtifactType::new("alerts_v1").unwrap();
    let logical_key = LogicalKey::new("day=2025-05-01/chain=solana").unwrap();
    let mut store = MockArtifactStorePort::new();
    let second = PageRequest::first(10_000).unwrap().after(cursor());
    store
        .expect_find_by_logical_key()
        .with(
            eq(artifact_type.clone()),
            eq(logical_key.clone()),
            eq(PageRequest::first(10_000).unwrap()),
        )
        .times(1)
        .returning(|_, _, _| {
            Ok(Page {
                items: vec![file()],
                next: Some(cursor()),
            })
        });
    store
        .expect_find_by_logical_key()
        .with(eq(artifact_type), eq(logical_key), eq(second))
        .times(1)
        .returning(|_, _, _| {
            let other = Artifact {
                id: id(OTHER),
                ..file()
            };
            Ok(Page {
                items: vec![file(), other],
                next: None,
            })
        });
    let request = json!({
        "operation": "find_by_logical_key",
        "artifact_type": "alerts_v1",
        "logical_key": "day=2025-05-01/chain=solana",
    });
    let found = answer(&store, request).await.unwrap();
    let ids: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["artifactId"])
        .collect();
    assert_eq!(ids, [ID, OTHER]);
}

fn find(page: Value) -> Value {
    json!({"operation": "find_by_logical_key", "artifact_type": "t", "logical_key": "k", "page": page})
}

#[tokio::test]
async fn a_key_is_found_page_by_page() {
    let after = cursor().to_string();
    let first = |limit| PageRequest::first(limit).unwrap();
    for (page, expected) in [
        (json!({}), first(100)),
        (json!({"limit": null, "after": null}), first(100)),
        (json!({"limit": 2}), first(2)),
        (
            json!({"limit": 2, "after": after}),
            first(2).after(cursor()),
        ),
    ] {
        let mut store = MockArtifactStorePort::new();
        store
            .expect_find_by_logical_key()
            .withf(move |_, _, page| *page == expected)
            .times(1)
            .returning(|_, _, _| {
                Ok(Page {
                    items: vec![file()],
                    next: Some(cursor()),
                })
            });
        let found = answer(&store, find(page)).await.unwrap();
        assert_eq!(
            (&found["items"][0]["artifactId"], &found["next"]),
            (&json!(ID), &json!(after))
        );
    }
    let wrong = find(json!({"limit": 10_001}));
    assert_eq!(refused(wrong).await["code"], "invalid");
}

#[tokio::test]
async fn the_limit_of_a_page_comes_before_that_of_its_filter() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_list_artifacts()
        .withf(|_, page| *page == PageRequest::first(3).unwrap())
        .times(1)
        .returning(|_, _| {
            Ok(Page {
                items: Vec::new(),
                next: None,
            })
        });
    let request =
        json!({"operation": "list_artifacts", "filter": {"limit": 7}, "page": {"limit": 3}});
    assert_eq!(answer(&store, request).await.unwrap(), json!({"items": []}));
}

/// A key with so many artifacts is asked for without a page, of a store that tells this many at a time.
async fn found_of(count: usize, at_a_time: usize) -> Result<Value, Value> {
    let mut store = MockArtifactStorePort::new();
    let mut rest = (0..count).map(|number| Artifact {
        id: id(&format!("01932c07-7f3e-7cc2-9a52-{number:012x}")),
        ..file()
    });
    store
        .expect_find_by_logical_key()
        .returning(move |_, _, _| {
            let items: Vec<_> = rest.by_ref().take(at_a_time).collect();
            Ok(Page {
                next: (rest.len() > 0).then(cursor),
                items,
            })
        });
    answer(&store, find(json!(null))).await
}

#[tokio::test]
async fn a_key_with_too_many_artifacts_is_told_by_pages_only() {
    for at_a_time in [10_000, 4_000] {
        let most = found_of(10_000, at_a_time).await.unwrap();
        assert_eq!(most.as_array().unwrap().len(), 10_000);
        let error = found_of(10_001, at_a_time).await.unwrap_err();
        let expected = "the key has more artifacts than are told without `page` (limit: 10000)";
        assert_eq!(
            (&error["error"], &error["code"]),
            (&json!(expected), &json!("invalid"))
        );
        assert!(error["hint"].as_str().unwrap().contains("after"));
    }
}
