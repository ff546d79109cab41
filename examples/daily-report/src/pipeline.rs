use std::collections::BTreeMap;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactInput, ArtifactSource, ArtifactStatus,
    PublishArtifactRequest, PublishArtifactResult, Writer,
};
use artstore_core::id::ArtifactId;
use artstore_core::key::ArtifactType;
use artstore_core::lineage::WalkLimits;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry, stream_artifacts};
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::table::{CsvOptions, TableFormat};
use futures_util::TryStreamExt as _;

use crate::{Day, Patience, Sales};

/// The type of the tables.
const SALES: &str = "daily_sales";
/// The type of the reports.
const REPORT: &str = "daily_report";

/// Turns a day's sales into a report, and keeps both.
#[derive(Debug, Clone)]
pub struct DailyReport {
    pub(crate) store: Arc<dyn ArtifactStorePort>,
    pub(crate) patience: Patience,
}

/// What became of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is a new report, which replaces others if the day had any.
    Reported {
        /// The report.
        report: Artifact,
        /// The reports that it replaced.
        replaced: Vec<ArtifactId>,
    },
    /// The day had come before with the same sales: this is its report.
    Unchanged(Artifact),
}

impl Outcome {
    /// The report in force.
    pub fn report(&self) -> &Artifact {
        match self {
            Self::Reported { report, .. } | Self::Unchanged(report) => report,
        }
    }
}

/// Says what a day's table must hold. To be called once, when the program begins; again, it changes nothing.
///
/// # Errors
/// As [`ArtifactTypeRegistry::register_type`].
pub async fn register_types(types: &dyn ArtifactTypeRegistry) -> Result<()> {
    let sales = TypeDefinition {
        required_columns: vec!["time".into(), "shop".into(), "cents".into()],
        timestamp_column: Some("time".into()),
        ..TypeDefinition::new(ArtifactType::new(SALES)?)
    };
    types
        .register_type(sales, TypeRegistration::KeepExisting)
        .await?;
    Ok(())
}

impl DailyReport {
    /// A pipeline that keeps everything in `store`.
    pub fn new(store: Arc<dyn ArtifactStorePort>) -> Self {
        Self::with_patience(store, Patience::default())
    }

    /// A pipeline that is this patient with a busy store.
    pub fn with_patience(store: Arc<dyn ArtifactStorePort>, patience: Patience) -> Self {
        Self { store, patience }
    }

    /// Publishes the table of `day`, then the report made from it, and replaces what the day had before. Nothing is
    /// rendered if the day came before with the same sales. Whatever interrupts it, the next run of the day goes on
    /// where it ended.
    ///
    /// # Errors
    /// As [`ArtifactStorePort::publish_artifact`] and [`ArtifactStorePort::supersede`].
    pub async fn run(&self, day: &Day, sales: &Sales) -> Result<Outcome> {
        let published = self.publish(table_request(day, sales)?).await?;
        let table = published.artifact();
        self.replace_others_with(table).await?;
        if published.is_duplicate()
            && let Some(report) = self.report_made_from(table.id).await?
        {
            self.replace_others_with(&report).await?;
            return Ok(Outcome::Unchanged(report));
        }
        let published = self.publish(report_request(day, sales, table)?).await?;
        let report = published.artifact();
        Ok(Outcome::Reported {
            replaced: self.replace_others_with(report).await?,
            report: report.clone(),
        })
    }

    /// The report with this id.
    ///
    /// # Errors
    /// [`NotFound`](artstore_core::ErrorKind::NotFound) if there is none.
    pub async fn report(&self, id: ArtifactId) -> Result<Artifact> {
        self.store.get_artifact(id).await
    }

    /// The report on `day` that is in force.
    ///
    /// # Errors
    /// As [`ArtifactStorePort::find_by_logical_key`].
    pub async fn report_on(&self, day: &Day) -> Result<Option<Artifact>> {
        // Active artifacts come first, newest first.
        let found = self
            .store
            .find_by_logical_key(&report_type()?, &day.key()?, &PageRequest::first(1)?)
            .await?;
        let is_active = |report: &Artifact| report.status == ArtifactStatus::Active;
        Ok(found.items.into_iter().find(is_active))
    }

    /// The report that was published last, whatever day it is about.
    ///
    /// # Errors
    /// As [`ArtifactStorePort::list_artifacts`].
    pub async fn latest(&self) -> Result<Option<Artifact>> {
        let page = PageRequest::first(1)?;
        let found = self
            .store
            .list_artifacts(&reports_in_force()?, &page)
            .await?;
        Ok(found.items.into_iter().next())
    }

    /// Every report in force by its day, however many there are.
    ///
    /// # Errors
    /// As [`ArtifactStorePort::list_artifacts`].
    pub async fn reports(&self) -> Result<BTreeMap<Day, ArtifactId>> {
        let mut reports = BTreeMap::new();
        let mut found = stream_artifacts(Arc::clone(&self.store), reports_in_force()?);
        while let Some(report) = found.try_next().await? {
            // Newest first: an older one in force can only be what an interrupted run has not replaced yet.
            reports
                .entry(Day::of_key(&report.logical_key)?)
                .or_insert(report.id);
        }
        Ok(reports)
    }

    /// The tables that a report was made from.
    ///
    /// # Errors
    /// [`NotFound`](artstore_core::ErrorKind::NotFound) if there is no such report.
    pub async fn sources_of(&self, report: ArtifactId) -> Result<Vec<Artifact>> {
        let lineage = self
            .store
            .get_lineage(report, WalkLimits::default())
            .await?;
        let sales = sales_type()?;
        let artifacts = lineage.nodes.into_iter().map(|node| node.artifact);
        Ok(artifacts
            .filter(|artifact| artifact.artifact_type == sales)
            .collect())
    }

    /// The text of a report, verified against its digest.
    ///
    /// # Errors
    /// As [`ArtifactStorePort::open`]; [`Corrupt`](artstore_core::ErrorKind::Corrupt) if the bytes are not those published.
    pub async fn text_of(&self, report: ArtifactId) -> Result<String> {
        let reader = self.store.open(report, None).await?;
        // An error at the end says that the bytes are wrong, so nothing is used before it.
        let pieces: Vec<_> = reader.bytes.try_collect().await?;
        Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
    }

    async fn publish(&self, request: PublishArtifactRequest) -> Result<PublishArtifactResult> {
        self.patience
            .run(async |op_id| {
                let mut attempt = request.clone();
                attempt.op_id = Some(op_id);
                self.store.publish_artifact(attempt).await
            })
            .await
    }

    async fn report_made_from(&self, table: ArtifactId) -> Result<Option<Artifact>> {
        let one_step = WalkLimits::new(Some(1), WalkLimits::DEFAULT_NODES)?;
        let made = self.store.get_downstream(table, one_step).await?;
        let wanted = report_type()?;
        let mut artifacts = made.nodes.into_iter().map(|node| node.artifact);
        Ok(artifacts.find(|artifact| {
            artifact.artifact_type == wanted && artifact.status == ArtifactStatus::Active
        }))
    }

    /// Replaces every other active artifact of the same type and key by `new`, and tells which they were.
    pub(crate) async fn replace_others_with(&self, new: &Artifact) -> Result<Vec<ArtifactId>> {
        let found = self
            .store
            .find_by_logical_key(
                &new.artifact_type,
                &new.logical_key,
                &PageRequest::default(),
            )
            .await?;
        let others = found
            .items
            .iter()
            .filter(|other| other.status == ArtifactStatus::Active && other.id != new.id);
        let mut replaced = Vec::new();
        for old in others {
            self.patience
                .run(async |op_id| self.store.supersede(new.id, old.id, Some(op_id)).await)
                .await?;
            replaced.push(old.id);
        }
        Ok(replaced)
    }
}

pub(crate) fn table_request(day: &Day, sales: &Sales) -> Result<PublishArtifactRequest> {
    Ok(PublishArtifactRequest {
        writer: Some(writer()),
        ..PublishArtifactRequest::table(
            sales_type()?,
            day.key()?,
            ArtifactSource::Bytes(sales.csv()),
            TableFormat::Csv(CsvOptions::default()),
        )
    })
}

pub(crate) fn report_request(
    day: &Day,
    sales: &Sales,
    table: &Artifact,
) -> Result<PublishArtifactRequest> {
    let input = ArtifactInput {
        id: table.id,
        role: Some("sales".to_owned()),
    };
    Ok(PublishArtifactRequest {
        inputs: vec![input],
        writer: Some(writer()),
        filename_hint: Some(format!("report-{day}")),
        ..PublishArtifactRequest::file(
            report_type()?,
            day.key()?,
            ArtifactSource::Bytes(sales.report(day).into()),
        )
    })
}

fn reports_in_force() -> Result<ArtifactFilter> {
    Ok(ArtifactFilter {
        artifact_type: Some(report_type()?),
        status: Some(ArtifactStatus::Active),
        ..ArtifactFilter::default()
    })
}

fn sales_type() -> Result<ArtifactType> {
    ArtifactType::new(SALES)
}

fn report_type() -> Result<ArtifactType> {
    ArtifactType::new(REPORT)
}

fn writer() -> Writer {
    Writer {
        name: "daily-report".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    }
}
