//! Tests on stores that are not mocked: every scenario once on a real store in a temporary directory, and once on the
//! strict backends in memory, behind the same engine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test asserts")]

mod contract;
mod pipeline;
mod worlds;

/// Makes a test of each scenario for each world.
macro_rules! scenarios {
    ($($module:ident::$scenario:ident,)*) => {
        mod on_disk {
            $(
                #[tokio::test]
                async fn $scenario() {
                    let world = crate::worlds::World::on_disk().await;
                    crate::$module::$scenario(&world).await;
                    world.close().await;
                }
            )*
        }

        mod in_memory {
            $(
                #[tokio::test]
                async fn $scenario() {
                    let world = crate::worlds::World::in_memory();
                    crate::$module::$scenario(&world).await;
                    world.close().await;
                }
            )*
        }
    };
}

scenarios! {
    contract::a_fresh_store_is_available,
    contract::what_is_published_is_retrieved,
    contract::identical_artifacts_are_one,
    contract::lists_are_narrowed_by_type_and_status_and_limited,
    contract::an_artifact_is_found_by_its_key,
    contract::lineage_names_the_input,
    contract::downstream_names_what_was_made,
    contract::a_superseded_artifact_says_so,
    pipeline::a_day_is_reported,
    pipeline::the_same_sales_are_reported_once,
    pipeline::a_wrong_report_is_replaced,
    pipeline::a_correction_can_be_taken_back,
    pipeline::an_interrupted_run_goes_on,
    pipeline::a_withdrawn_report_is_made_again,
    pipeline::two_corrections_with_one_report_share_it,
    pipeline::many_days_are_reported_in_few_calls,
    pipeline::every_report_is_streamed,
}
