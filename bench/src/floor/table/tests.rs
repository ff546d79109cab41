use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_tests::store::LocalStore;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::*;

fn metadata(path: &Path) -> ParquetMetaData {
    let file = File::open(path).unwrap();
    ParquetMetaDataReader::new()
        .parse_and_finish(&file)
        .unwrap()
}

/// Where the two would do different work, they could not be compared.
#[tokio::test]
async fn the_floor_writes_what_the_store_writes() {
    let directory = tempfile::tempdir().unwrap();
    let csv = directory.path().join("table.csv");
    crate::csv::write(&csv, 1).unwrap();
    let converted = directory.path().join("table.parquet");
    convert(&csv, &converted).unwrap();
    let store = LocalStore::open(&directory.path().join("store"))
        .await
        .unwrap();
    let request = PublishArtifactRequest::table(
        ArtifactType::new("bench").unwrap(),
        LogicalKey::new("table").unwrap(),
        ArtifactSource::File(csv),
        TableFormat::Csv(CsvOptions::default()),
    );
    let port = store.artifacts();
    let published = port.publish_artifact(request).await.unwrap();
    let stored = port.local_path(published.artifact().id).await.unwrap();

    let (floor, store_side) = (metadata(&converted), metadata(&stored));

    let types = |found: &ParquetMetaData| {
        let columns = found.file_metadata().schema_descr().columns().to_vec();
        let described = columns.iter().map(|column| {
            (
                column.name().to_owned(),
                column.physical_type(),
                column.logical_type_ref().cloned(),
            )
        });
        described.collect::<Vec<_>>()
    };
    assert_eq!(types(&floor), types(&store_side));
    let settings = |found: &ParquetMetaData| {
        let chunk = found.row_group(0).column(0);
        (
            found.file_metadata().created_by().map(str::to_owned),
            found.file_metadata().version(),
            found.num_row_groups(),
            chunk.compression(),
            chunk.encodings().collect::<Vec<_>>(),
            chunk.offset_index_offset().is_some(),
            chunk.column_index_offset().is_some(),
        )
    };
    assert_eq!(settings(&floor), settings(&store_side));
    store.close().await;
}
