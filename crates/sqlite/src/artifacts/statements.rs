//! Every statement, one file each.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sql/artifacts/", $file, ".sql"));)*

        /// The name and text of every statement.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    ADVANCE_CATALOG = "advance_catalog";
    COUNTS = "counts";
    CREATE_CATALOG = "create_catalog";
    DELETE_FINGERPRINT = "delete_fingerprint";
    DELETE_INPUTS = "delete_inputs";
    DELETE_TAG = "delete_tag";
    FIND = "find";
    FIND_CONTENT_DUPLICATE = "find_content_duplicate";
    FIND_CREATION = "find_creation";
    FIND_DIRECTORY = "find_directory";
    FIND_DUPLICATE = "find_duplicate";
    FIND_EVENT = "find_event";
    FIND_INPUTS = "find_inputs";
    FIND_KEY = "find_key";
    FIND_OUTPUTS = "find_outputs";
    FIND_PREDECESSORS = "find_predecessors";
    FIND_SUCCESSOR = "find_successor";
    FIND_TYPE = "find_type";
    MAY_HAVE_ACTIVE_OF_SIZE = "may_have_active_of_size";
    HEAD = "head";
    INSERT_DIRECTORY = "insert_directory";
    INSERT_FINGERPRINT = "insert_fingerprint";
    INSERT_INPUT = "insert_input";
    INSERT_TAG = "insert_tag";
    INSERT_TYPE = "insert_type";
    LIST_ACTIVE_BY_KEY = "list_active_by_key";
    LIST_BY_CREATION = "list_by_creation";
    LIST_BY_STATUS = "list_by_status";
    LIST_BY_STATUS_AND_TYPE = "list_by_status_and_type";
    LIST_BY_TAG = "list_by_tag";
    LIST_BY_TYPE = "list_by_type";
    LIST_INACTIVE_BY_KEY = "list_inactive_by_key";
    PUT = "put";
    RECORD_EVENT = "record_event";
    SCAN = "scan";
    SCAN_EVENTS = "scan_events";
    SET_HEAD = "set_head";
}
