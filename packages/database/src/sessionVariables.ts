import { SourceLayoutError } from "@openemr-ops/core/errors";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** A year, the longest that a server takes for some of them. */
const longest = "31536000";
const noLimit = "18446744073709551615";

/** Set on each of our connections, where the server has it: what cuts, changes or ends what we read or write. */
const set: Readonly<Record<string, string>> = {
  autocommit: "1",
  completion_type: "0",
  idle_readonly_transaction_timeout: "0",
  idle_transaction_timeout: "0",
  idle_write_transaction_timeout: "0",
  information_schema_stats_expiry: "0",
  max_execution_time: "0",
  max_statement_time: "0",
  net_read_timeout: "86400",
  net_write_timeout: "86400",
  sql_auto_is_null: "0",
  sql_big_selects: "1",
  sql_mode: "'STRICT_ALL_TABLES'",
  sql_quote_show_create: "1",
  sql_safe_updates: "0",
  sql_select_limit: noLimit,
  system_versioning_asof: "DEFAULT",
  time_zone: "'+00:00'",
  wait_timeout: longest,
};

interface Requirement {
  readonly fits: RegExp;
  /** What the server does otherwise, and the next step. */
  readonly otherwise: string;
}

const ownCharacterSet: Requirement = {
  fits: /^utf8mb4$/i,
  otherwise:
    "the server ignores the character set of its clients: remove skip-character-set-client-handshake and init_connect",
};

/** What a new session has to have: mariadb-dump cannot be told to set it, and its rows would be others without an error. */
const required: Readonly<Record<string, Requirement>> = {
  character_set_client: ownCharacterSet,
  character_set_results: ownCharacterSet,
  show_gipk_in_create_table_and_information_schema: {
    fits: /^(?:ON|1)$/i,
    otherwise: "generated primary keys would be absent from the dump: set it to ON globally",
  },
  sql_select_limit: {
    fits: new RegExp(`^(?:${noLimit}|4294967295)$`),
    otherwise: "rows behind that number would be absent from the dump: set it to DEFAULT globally",
  },
  system_versioning_asof: {
    fits: /^DEFAULT$/i,
    otherwise: "the dump would have rows of an earlier time: set it to DEFAULT globally",
  },
};

/** Set by a statement of its own where it matters: SET NAMES, SET TRANSACTION, the lock of a dump, the session of a load. */
const setElsewhere = words(`
  character_set_connection collation_connection transaction_isolation tx_isolation transaction_read_only tx_read_only
  lock_wait_timeout foreign_key_checks unique_checks check_constraint_checks innodb_strict_mode
`);

/** Neither cuts nor changes rows that are read; what it ends, ends with an error. */
const harmless = words(`
  character_set_collations character_set_database character_set_filesystem character_set_server collation_database
  collation_server default_collation_for_utf8mb4 default_regex_flags default_week_format div_precision_increment
  group_concat_max_len lc_messages lc_time_names old old_mode new_mode old_passwords
  max_allowed_packet net_buffer_length net_retry_count interactive_timeout max_error_count max_join_size max_sort_length
  max_length_for_sort_data max_session_mem_used max_tmp_session_space_usage max_user_connections connection_memory_limit
  connection_memory_chunk_size global_connection_memory_tracking parser_max_mem_size max_recursive_iterations
  cte_max_recursion_depth max_sp_recursion_depth max_points_in_geometry max_relay_log_size sql_slave_skip_counter

  alter_algorithm auto_increment_increment auto_increment_offset big_tables block_encryption_mode bulk_insert_buffer_size
  column_compression_threshold column_compression_zlib_level column_compression_zlib_strategy column_compression_zlib_wrap
  default_storage_engine default_table_encryption default_tmp_storage_engine enable_cascade_triggers enforce_storage_engine
  explicit_defaults_for_timestamp external_table_storage_engine external_table_secondary_storage_engine
  innodb_compression_default innodb_ddl_buffer_size innodb_ddl_threads innodb_default_encryption_key_id
  innodb_ft_enable_stopword innodb_ft_user_stopword_table innodb_lock_wait_timeout innodb_snapshot_isolation
  innodb_table_locks innodb_tmpdir innodb_parallel_read_threads keep_files_on_create low_priority_updates
  max_delayed_threads max_insert_delayed_threads old_alter_table restrict_fk_on_non_standard_key
  sql_generate_invisible_primary_key sql_if_exists sql_require_primary_key storage_engine system_versioning_alter_history
  system_versioning_insert_history updatable_views_with_limit

  analyze_max_length analyze_sample_percentage aria_repair_threads aria_sort_buffer_size aria_stats_method
  deadlock_search_depth_long deadlock_search_depth_short deadlock_timeout_long deadlock_timeout_short
  enable_secondary_engine_statistics end_markers_in_json eq_range_index_dive_limit expensive_subquery_limit explain_format
  explain_json_format_version histogram_generation_max_mem_size histogram_size histogram_type
  in_predicate_conversion_threshold internal_tmp_mem_storage_engine join_buffer_size join_buffer_space_limit
  join_cache_level max_heap_table_size max_rowid_filter_size max_seeks_for_key max_tmp_tables mhnsw_default_distance
  mhnsw_default_m mhnsw_ef_search mrr_buffer_size myisam_repair_threads myisam_sort_buffer_size myisam_stats_method
  optimizer_adjust_secondary_key_costs optimizer_extra_pruning_depth optimizer_join_limit_pref_ratio
  optimizer_max_sel_arg_weight optimizer_max_sel_args optimizer_max_subgraph_pairs optimizer_prune_level
  optimizer_scan_setup_cost optimizer_search_depth optimizer_selectivity_sampling_limit optimizer_switch optimizer_trace
  optimizer_trace_features optimizer_trace_limit optimizer_trace_max_mem_size optimizer_trace_offset
  optimizer_use_condition_selectivity optimizer_where_cost preload_buffer_size query_alloc_block_size
  query_cache_strip_comments query_cache_type query_cache_wlock_invalidate query_prealloc_size range_alloc_block_size
  range_optimizer_max_mem_size read_buffer_size read_rnd_buffer_size rowid_merge_buff_size secondary_engine_cost_threshold
  select_into_buffer_size select_into_disk_sync select_into_disk_sync_delay set_operations_buffer_size sort_buffer_size
  sql_buffer_result standard_compliant_cte thread_pool_priority tcp_nodelay tmp_disk_table_size tmp_memory_table_size
  tmp_table_size transaction_alloc_block_size transaction_prealloc_size transaction_allow_batching use_secondary_engine
  use_stat_tables windowing_use_high_precision

  binlog_alter_two_phase binlog_annotate_row_events binlog_direct_non_transactional_updates binlog_format binlog_row_image
  binlog_row_value_options binlog_rows_query_log_events binlog_transaction_compression
  binlog_transaction_compression_level_zstd default_master_connection group_replication_consistency gtid_domain_id gtid_next
  gtid_owned gtid_seq_no immediate_server_version last_gtid original_commit_timestamp original_server_version
  pseudo_replica_mode pseudo_slave_mode pseudo_thread_id rbr_exec_mode require_row_format server_id skip_parallel_replication
  skip_replication sql_log_bin wsrep_causal_reads wsrep_dirty_reads wsrep_gtid_seq_no wsrep_on wsrep_osu_method
  wsrep_retry_autocommit wsrep_sync_wait wsrep_trx_fragment_size wsrep_trx_fragment_unit xa_detach_on_prepare

  error_count external_user generated_random_password_length identity in_transaction insert_id last_insert_id
  log_disabled_statements log_queries_not_using_indexes log_slow_admin_statements log_slow_always_query_time
  log_slow_disabled_statements log_slow_filter log_slow_max_warnings log_slow_min_examined_row_limit log_slow_query
  log_slow_query_time log_slow_rate_limit log_slow_slave_statements log_slow_verbosity log_warnings long_query_time
  min_examined_row_limit note_verbosity print_identified_with_as_hex profiling profiling_history_size progress_report_time
  proxy_user rand_seed1 rand_seed2 redirect_url resultset_metadata session_track_gtids session_track_schema
  session_track_state_change session_track_system_variables session_track_transaction_info
  show_create_table_skip_secondary_engine show_create_table_verbosity slow_query_log sql_log_off sql_notes sql_warnings
  statement_id terminology_use_previous timestamp warning_count
`);

const known: ReadonlySet<string> = new Set([
  ...Object.keys(set),
  ...Object.keys(required),
  ...setElsewhere,
  ...harmless,
]);

/** Whether somebody looked at a session variable, and put it into one of these groups. */
export const isKnownVariable = (name: string): boolean => known.has(name.toLowerCase());

/** Those that are read before anything is set. */
export const variablesOfInterest: readonly string[] = [...new Set([...Object.keys(set), ...Object.keys(required)])];

/** The statement that gives a session our values, of the variables that the server has. */
export const setVariables = (given: ReadonlyMap<string, string>): string =>
  `SET ${Object.entries(set)
    .filter(([name]) => given.has(name))
    .map(([name, value]) => `SESSION ${name} = ${value}`)
    .join(", ")}`;

/** @throws {SourceLayoutError} refused: the dump program's session would be given what changes rows without an error */
export const assertForDumpProgram = (given: ReadonlyMap<string, string>): void => {
  for (const [name, { fits, otherwise }] of Object.entries(required)) {
    const value = given.get(name);
    if (value !== undefined && !fits.test(value))
      throw new SourceLayoutError(`the server gives new sessions ${name} = ${value}, and ${otherwise}`);
  }
};
