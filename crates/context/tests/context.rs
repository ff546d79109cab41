//! Contexts over real stores in temporary directories.

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use artstore_context::{Context, Environment, Settings};
    use artstore_core::ErrorKind;
    use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
    use artstore_core::key::{ArtifactType, LogicalKey};
    use artstore_core::maintenance::StatusDetail;
    use artstore_core::ports::{MockArtifactStorePort, MockMaintenance};

    fn context(root: &Path) -> Context {
        Context::builder().root(root).build().unwrap()
    }

    fn context_with_catalog(root: &Path, catalog: &str) -> Context {
        let settings = Settings {
            root: root.to_owned(),
            catalog: Some(catalog.to_owned()),
            ..Settings::default()
        };
        Context::builder().settings(settings).build().unwrap()
    }

    fn request(text: &'static str) -> PublishArtifactRequest {
        PublishArtifactRequest::file(
            ArtifactType::new("note").unwrap(),
            LogicalKey::new("k").unwrap(),
            ArtifactSource::Bytes(text.as_bytes().into()),
        )
    }

    #[tokio::test]
    async fn reading_makes_no_store() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("store");
        let context = context(&root);
        for error in [
            context.artifact_store().await.unwrap_err(),
            context.maintenance().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let shown = context.root().display();
            assert_eq!(error.message(), format!("there is no store at {shown}"));
            assert_eq!(error.hint_text(), Some("make one with `artstore init`"));
        }
        assert!(!root.exists());
    }

    #[tokio::test]
    async fn writing_makes_a_store_that_others_can_read() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("new/store");
        let writer = context(&root);
        let store = writer.artifact_store_or_init().await.unwrap();
        let published = store.publish_artifact(request("hello")).await.unwrap();
        writer.close().await;

        let reader = context(&root);
        let store = reader.artifact_store().await.unwrap();
        let id = published.artifact().id;
        assert_eq!(&store.get_artifact(id).await.unwrap(), published.artifact());
        reader.close().await;
    }

    #[tokio::test]
    async fn services_are_built_once() {
        let directory = tempfile::tempdir().unwrap();
        let context = context(directory.path());
        let (first, second, initialized) = tokio::join!(
            context.artifact_store_or_init(),
            context.artifact_store_or_init(),
            context.initialize(),
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        let again = context.clone().artifact_store().await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let maintenance = context.maintenance().await.unwrap();
        assert!(Arc::ptr_eq(
            &maintenance,
            &context.maintenance().await.unwrap()
        ));
        let status = maintenance.status(StatusDetail::Counts).await.unwrap();
        assert_eq!(status.store_id, initialized.unwrap().store_id);
    }

    #[tokio::test]
    async fn initialising_twice_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let first = context(directory.path()).initialize().await.unwrap();
        let second = context(directory.path()).initialize().await.unwrap();
        assert_eq!(first, second);
        assert_eq!(first.catalogs.artifacts, "sqlite:catalog.sqlite");
    }

    #[tokio::test]
    async fn many_initialisers_make_one_store() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("store");
        let contexts: Vec<_> = (0..8).map(|_| context(&root)).collect();
        let ids = contexts.iter().map(|context| async {
            let store = context.artifact_store_or_init().await.unwrap();
            store.publish_artifact(request("same")).await.unwrap();
            context.initialize().await.unwrap().store_id
        });
        let mut ids = futures_util::future::join_all(ids).await;
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }

    #[tokio::test]
    async fn a_replaced_port_needs_no_store() {
        let mut store = MockArtifactStorePort::new();
        store.expect_is_available().return_const(true);
        let context = Context::builder()
            .root("/nowhere/at/all")
            .artifact_store(Arc::new(store))
            .maintenance(Arc::new(MockMaintenance::new()))
            .build()
            .unwrap();
        assert!(context.artifact_store().await.unwrap().is_available().await);
        context.artifact_store_or_init().await.unwrap();
        context.maintenance().await.unwrap();
        context.close().await;
    }

    #[tokio::test]
    async fn a_store_keeps_its_catalog() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let first = context_with_catalog(&root, "sqlite:db.sqlite");
        first.initialize().await.unwrap();
        // The same place, said in another way.
        let absolute = format!("sqlite:{}/db.sqlite", root.display());
        let same = context_with_catalog(&root, &absolute);
        same.artifact_store().await.unwrap();
        context(&root).artifact_store().await.unwrap();

        let other = context_with_catalog(&root, "sqlite:other.sqlite");
        for error in [
            other.artifact_store().await.unwrap_err(),
            other.initialize().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert_eq!(error.context_value("store"), Some("sqlite:db.sqlite"));
            assert_eq!(error.context_value("setting"), Some("sqlite:other.sqlite"));
        }
    }

    #[tokio::test]
    async fn a_new_store_takes_no_other_stores_catalog() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = format!("sqlite:{}/shared.sqlite", directory.path().display());
        let first = context_with_catalog(&directory.path().join("a"), &catalog);
        let store = first.artifact_store_or_init().await.unwrap();
        store.publish_artifact(request("hello")).await.unwrap();
        first.close().await;

        let root = directory.path().join("b");
        let second = context_with_catalog(&root, &catalog);
        let error = second.artifact_store_or_init().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_eq!(error.message(), "the catalog belongs to another store");
        assert!(!root.join("artstore.json").exists());
    }

    #[tokio::test]
    async fn a_manifest_of_the_former_store_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = directory.path().join("manifest.sqlite");
        let database = rusqlite::Connection::open(&manifest).unwrap();
        database
            .execute_batch(
                "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL);
                 CREATE TABLE artifacts (artifact_id TEXT PRIMARY KEY);
                 CREATE TABLE artifact_lineage (artifact_id TEXT, input_artifact_id TEXT);
                 INSERT INTO schema_migrations VALUES (1, '2026-11-20T11:13:07.254Z');",
            )
            .unwrap();
        drop(database);
        let before = std::fs::read(&manifest).unwrap();
        let root = directory.path().join("store");
        let environment = Environment::from([
            ("ARTIFACTS_ROOT", root.to_str().unwrap()),
            ("ARTIFACT_MANIFEST_DB", manifest.to_str().unwrap()),
        ]);
        let context = Context::builder().environment(environment).build().unwrap();
        let error = context.artifact_store_or_init().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains("version 1 manifest"), "{error}");
        assert!(!root.exists());
        assert_eq!(std::fs::read(&manifest).unwrap(), before);
    }

    #[tokio::test]
    async fn a_store_with_an_unknown_catalog_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        context(directory.path()).initialize().await.unwrap();
        let document = directory.path().join("artstore.json");
        let text = std::fs::read_to_string(&document).unwrap();
        std::fs::remove_file(&document).unwrap();
        std::fs::write(&document, text.replace("sqlite:catalog", "oracle:catalog")).unwrap();
        let error = context(directory.path())
            .artifact_store()
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_linked_root_is_the_root() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let context = context(&link);
        assert_eq!(context.root(), real);
        context.initialize().await.unwrap();
        assert!(real.join("artstore.json").exists());
    }

    #[test]
    fn wrong_settings_are_named() {
        let settings = Settings {
            sqlite_readers: 0,
            ..Settings::default()
        };
        let error = Context::builder().settings(settings).build().unwrap_err();
        assert_eq!(error.context_value("setting"), Some("sqlite_readers"));
        let empty = Context::builder().root("").build().unwrap_err();
        assert_eq!(empty.message(), "the root is empty");
    }
}
