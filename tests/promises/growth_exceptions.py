"""Functions that take text and are not measured by the table of growth, with the reason."""

REASONS = {
    "a part of a function in the table, which runs it": """
        chat.messages.mention_parser:strip_blocks chat.messages.mention_parser:lines_outside
        chat.messages.mention_parser:strip_spans chat.messages.mention_parser:strip_code
        chat.messages.mention_parser:readings chat.messages.mention_parser:outside_code
        chat.transfer.slack:plain_mark chat.messages.mention_parser:trim_link
        chat.log.redaction:without chat.log.redaction:without_previews
        chat.client.sse:EventSplitter._normalize
        chat.files.models:is_numbers chat.search.highlight:fallbacks chat.search.highlight:find_spans
        chat.search.highlight:horizon chat.search.highlight:choose_stretch
        chat.search.highlight:Phrase.__init__ chat.search.highlight:OpenPhrase.__init__
        chat.search.lexemes:encode_vector chat.search.lexemes:either chat.search.lexemes:all_of
        chat.search.lexemes:inner_words chat.search.lexemes:without_prefix chat.search.highlight:Matcher.feed
        chat.transfer.chat_logs:decode chat.transfer.zulip:split_code
        chat.search.lexemes:any_of chat.search.query:add_filter chat.search.query:is_open
        chat.search.query:fold chat.search.query:fold_any chat.search.query:fold_formerly chat.search.query:is_exact
        chat.search.query:cut_spaceless chat.search.query:gram_sizes chat.search.query:grams_of
        chat.shared.transport.ws_frames:FrameReader._join chat.shared.transport.ws_frames:FrameReader._collect
        chat.shared.transport.ws_frames:check_fragment chat.shared.transport.ws_frames:parse_head
        chat.accounts.accounts:Accounts.check_password chat.shared.appearance:is_printable
        chat.accounts.passwords:check_new_password chat.accounts.validation:spell_plainly
        chat.model.types:check_pairs chat.model.types:check_integer
    """,
    "one character, or a word of a fixed list": """
        chat.shared.appearance:is_seen chat.shared.appearance:is_hidden chat.shared.appearance:script_of
        chat.files.models:preview_key chat.files.models:is_inline chat.messages.posting:check_import
        chat.transfer.text:plain_letters
    """,
    "only keeps or encodes what is given": """
        chat.model.errors:Gap.__init__ chat.messages.reminders:check_future
        chat.search.query:invalid_field chat.log.entry:pack
        chat.shared.transport.ws_frames:encode_frame chat.shared.transport.ws_frames:encode_close
        chat.shared.transport.ws_frames:BadWire.__init__ chat.shared.multipart:FormParser.__init__
        chat.log.redaction:content_of chat.model.types:check_type
        chat.log.redaction:is_withheld chat.accounts.second_factors:check_one
        chat.shared.identity:KeyLimits.check chat.transfer.supervisor:ImportSupervisor._clean_up
        chat.shared.texts:Texts.part chat.shared.texts:Texts.join chat.shared.texts:texts_in
    """,
    "a text of another server, limited where it is read": """
        chat.accounts.oidc:OidcProvider._check_id_token
        chat.integrations.outgoing:check_url chat.messages.previews:host_of
    """,
    "what this server has written into Redis": """
        chat.shared.registry.status_choice:decode_choice chat.shared.registry.reporting:parse_evidence
    """,
    "looks a name up in the request; its length is limited there": """
        chat.conversations.endpoints:parse_line chat.search.search:parse_id chat.shared.web:parse_count
        presence.endpoints:parse_text chat.accounts.admin_endpoints:parse_choice
        chat.messages.endpoints:parse_places
    """,
    "roles and invitations that a model has checked": """
        chat.model.conversation:joined chat.model.conversation:changed_role chat.model.conversation:member_data
        chat.model.conversation:opened_invitation
    """,
    "settings and files of the operator, and SQL files of the project": """
        chat.shared.setting_checks:check_rates chat.shared.setting_checks:check_ancestors
        chat.shared.setting_checks:check_files_url chat.shared.setting_checks:check_public_url
        chat.shared.setting_checks:check_origins chat.shared.setting_checks:check_redis_url
        chat.shared.setting_checks:check_http_url chat.shared.setting_checks:check_claims
        chat.shared.setting_checks:check_oidc_claims chat.shared.setting_checks:check_issuer
        chat.cross_origin:parse_origins chat.shared.setting_checks:check_bus_url
        chat.shared.setting_checks:check_smtp_url chat.shared.setting_checks:check_hosts
        chat.shared.setting_checks:check_queue_url chat.shared.bus:check_broker_url chat.shared.bus:split_queue
        chat.transfer.archive:Archive._check chat.operations.audit:parse_since chat.shared.rate_limits:parse_rates
        chat.files.images:Pictures._check_sandbox
    """,
    "the SQL files of this project": "chat.shared.sql:load chat.shared.sql:Queries.__init__",
    "encodes each text by a function of the table": "chat.shared.sql:columns chat.shared.sql:optional_columns",
    "a look-up in the database": """
        chat.accounts.accounts:Accounts._check_time_zone chat.accounts.joining:check_setup_link
    """,
    "the paths of this server's routes": "chat.api_schema.openapi:plain",
    "the image worker's answer": "chat.files.images:split",
}
EXCEPTIONS = {name: reason for reason, names in REASONS.items() for name in names.split()}
