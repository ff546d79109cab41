/// Makes a test of every behaviour of `ArtifactCatalog`; takes an expression that gives a
/// [`CatalogHarness`](crate::conformance::catalog::CatalogHarness).
#[macro_export]
macro_rules! artifact_catalog_conformance {
    ($harness:expr) => {
        $crate::conformance_tests!(
            $harness,
            catalog,
            [
                every_commit_raises_the_counter_by_one,
                a_commit_may_raise_the_counter_further,
                events_raise_the_head_to_their_sequence,
                every_field_is_kept,
                a_put_replaces_all_that_was_known,
                changes_are_made_in_order,
                an_event_replaces_that_of_its_sequence,
                a_failing_commit_changes_nothing,
                instances_see_each_other,
                a_dropped_apply_is_whole_and_ends_before_its_permit,
                many_tasks_may_use_one_instance,
                answers_are_in_the_order_of_the_probes,
                no_probes_get_the_head,
                thousands_of_probes_are_answered,
                the_operation_of_a_creation_is_known,
                the_operation_of_an_event_is_known,
                unknown_operations_are_not_answered,
                duplicates_are_of_one_scope_and_hash,
                duplicates_are_recognised_by_file_hash,
                duplicates_are_recognised_by_content_hash,
                the_file_hash_comes_first,
                kinds_do_not_mix,
                content_hashes_are_of_one_scope,
                only_active_artifacts_are_duplicates,
                the_oldest_duplicate_is_answered,
                a_change_is_answered_with_its_artifacts,
                missing_inputs_are_told_in_order,
                thousands_of_inputs_are_looked_up,
                sizes_are_found_in_their_scope,
                an_examination_sees_one_state,
                lists_are_newest_first,
                pages_give_everything_once,
                a_cursor_need_not_name_an_artifact,
                key_prefixes_are_plain_text,
                all_tags_must_be_there,
                creation_times_are_a_half_open_range,
                overlaps_are_half_open,
                what_has_no_times_overlaps_with_nothing,
                a_status_can_be_excluded,
                every_combination_of_conditions_holds,
                get_answers_in_the_order_asked_for,
                get_answers_thousands,
                inputs_are_walked_in_their_order,
                downstream_is_walked_in_order_of_ids,
                replacements_are_walked_in_both_directions,
                every_walk_is_the_plain_one,
                walks_end_at_their_limits,
                a_walk_ends_early_at_a_hub,
                a_walk_takes_a_bounded_number_of_steps,
                two_to_the_thirtieth_ways_are_walked_at_once,
                ten_thousand_inputs_are_walked,
                circles_are_walked_once,
                an_unknown_start_is_none,
                what_has_no_row_is_reached_and_leads_nowhere,
                walks_follow_replacing_puts,
                walks_follow_a_rebuild,
                a_walk_sees_one_state,
                scan_goes_through_all_by_id,
                scan_events_goes_through_all_by_sequence,
                counts_follow_replacing_puts,
                rebuild_makes_a_catalog_where_there_is_none,
                rebuild_replaces_everything,
                commits_count_on_after_a_rebuild,
                other_instances_see_a_rebuild,
                the_former_database_answers_during_a_rebuild,
                a_failing_rebuild_changes_nothing,
                a_dropped_rebuild_leaves_the_former_or_none,
                the_catalog_of_another_store_is_kept_aside,
                an_unreadable_database_is_kept_aside,
                a_missing_database_is_never_created_by_asking,
                a_deleted_database_is_missed,
                a_replaced_database_is_opened_anew,
                apply_sees_a_replaced_database,
                the_epoch_stays_while_the_database_does,
                a_newer_schema_is_refused,
                a_closed_instance_opens_again,
                closing_finishes_what_was_begun,
                committed_rows_outlive_every_instance,
            ]
        );
    };
}

/// Makes a test of every behaviour of `BlobStore`; takes an expression that gives a
/// [`StoreHarness`](crate::conformance::blobs::StoreHarness).
#[macro_export]
macro_rules! blob_store_conformance {
    ($harness:expr) => {
        $crate::conformance_tests!(
            $harness,
            blobs,
            [
                staging_tells_size_and_hash,
                documents_are_staged,
                staged_files_have_no_final_name,
                missing_sources_are_not_found,
                directories_are_no_sources,
                a_changing_source_is_a_conflict,
                failing_and_looking_leave_nothing_behind,
                discarding_removes_staged_files,
                a_closed_store_works_again,
                a_file_to_be_adopted_stays_in_its_place,
                an_adopted_file_moves_when_it_is_published,
                files_with_other_names_are_not_adopted,
                sources_are_read_at_any_position,
                an_opened_source_is_read_by_many_at_once,
                only_regular_files_are_opened,
                a_source_changed_after_opening_is_noticed,
                bytes_that_are_gone_are_a_conflict,
                opened_bytes_never_change,
                staged_files_are_read_at_any_position,
                staged_files_that_are_gone_are_not_found,
                an_adopted_file_changed_after_opening_is_noticed,
                written_bytes_are_staged_with_their_facts,
                an_unfinished_writer_leaves_nothing,
                written_files_can_be_discarded,
                writers_bytes_and_documents_do_not_mix,
                a_file_that_is_being_written_is_left_alone,
                missing_files_are_none,
                files_are_read_in_pieces,
                documents_have_a_greatest_size,
                directories_are_not_files,
                links_are_not_followed,
                lists_hold_all_files_below,
                missing_directories_list_nothing,
                local_paths_lead_to_the_bytes,
                many_files_are_staged_at_once,
            ]
        );
    };
}

/// Makes a test of every behaviour of `PublicationLog`; takes an expression that gives a
/// [`StoreHarness`](crate::conformance::blobs::StoreHarness).
#[macro_export]
macro_rules! publication_log_conformance {
    ($harness:expr) => {
        $crate::conformance_tests!(
            $harness,
            publication,
            [
                publishing_gives_names,
                hundreds_of_items_are_published_together,
                published_files_can_only_be_read,
                nothing_is_ever_replaced,
                an_adopted_file_goes_back_when_its_item_fails,
                a_file_changed_after_staging_is_not_published,
                items_fail_alone,
                the_first_of_two_items_gets_the_name,
                an_intent_lasts_until_it_is_finished,
                settling_completes_what_happened,
                settling_finds_what_named_nothing,
                settling_takes_back_what_was_half_named,
                settling_gives_an_adopted_file_back,
                settling_never_replaces_a_users_file,
                torn_intents_are_removed,
                a_dropped_publication_ends_before_its_permit,
                documents_are_replaced,
                readers_find_whole_documents,
                a_document_is_put_where_there_was_none,
                a_put_document_replaces_what_was_there,
                putting_leaves_nothing_in_staging,
                readers_find_whole_put_documents,
                a_dropped_put_is_whole_and_ends_before_its_permit,
                documents_are_not_put_through_links,
                quarantine_keeps_the_bytes,
                quarantine_never_collides,
                sweeping_leaves_the_living_alone,
            ]
        );
    };
}

/// Makes a test of every behaviour of `StoreRoot`; takes an expression that gives a
/// [`RootHarness`](crate::conformance::root::RootHarness).
#[macro_export]
macro_rules! store_root_conformance {
    ($harness:expr) => {
        $crate::conformance_tests!(
            $harness,
            root,
            [
                nothing_is_empty,
                initialising_makes_a_store,
                initialising_again_answers_the_first_document,
                all_initialisers_get_one_document,
                foreign_places_are_left_alone,
                a_store_with_other_things_is_a_store,
                a_root_has_a_name,
            ]
        );
    };
}

/// Makes a test of every behaviour of `DomainLock`; takes an expression that gives a
/// [`LockHarness`](crate::conformance::lock::LockHarness).
#[macro_export]
macro_rules! domain_lock_conformance {
    ($harness:expr) => {
        $crate::conformance_tests!(
            $harness,
            lock,
            [
                a_free_lock_is_obtained_at_once,
                a_held_lock_is_busy_after_patience,
                one_permit_exists_at_a_time,
                a_waiter_gets_a_lock_that_is_freed,
                waiters_do_not_starve,
                a_dropped_waiter_frees_what_it_obtains,
                clones_of_a_permit_keep_the_lock,
                a_permit_outlives_its_instance,
                death_frees_the_lock,
                there_is_no_counter_at_first,
                the_next_holder_is_told_the_counter,
                the_counter_is_read_without_the_lock,
                a_reboot_forgets_the_counter,
            ]
        );
    };
}

/// One test per name: the function of that name in the suite, on a harness of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr, $suite:ident, [$($behaviour:ident),* $(,)?]) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::conformance::run(async {
                    let harness = $harness;
                    $crate::conformance::$suite::$behaviour(&harness).await;
                });
            }
        )*
    };
}
