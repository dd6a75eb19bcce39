/**
 * The checks of the suite that redops cannot be held to, and why: what they call is a fixture of the suite, or an option of
 * the protocol that redops does not have and does not claim. Where redops has the like, the reason names its test.
 */

const of = (reason, ...ids) => ids.map((id) => [id, reason]);

/** By the check's id: the reason. */
export const notApplicable = Object.fromEntries([
  ...of(
    'a fixture tool of the suite (test_simple_text ...): redops has no tool that answers a fixed text, picture or sound',
    'tools-call-simple-text',
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'json-schema-2020-12-tool-found',
  ),
  ...of(
    'a fixture tool of the suite; errors, progress and cancellation of the tools there are: test/mcp/tasks.ts, test/mcp/jobs.test.ts',
    'tools-call-error',
    'tools-call-with-progress',
  ),
  ...of(
    'fixture tools and a fixture prompt of the suite; dialogs of redops_apply, sealed states and forged ones: test/mcp/approval.test.ts',
    'tools-call-elicitation',
    'elicitation-sep1034-general',
    'elicitation-sep1330-general',
    'sep-2322-elicitation-incomplete',
    'sep-2322-multi-round-r1',
    'sep-2322-multiple-inputs-incomplete',
    'sep-2322-non-tool-incomplete',
    'sep-2322-request-state-incomplete',
    'sep-2322-result-type-included',
    'sep-2322-reject-tampered-state',
    'sep-2322-respect-client-capabilities',
    'sep-2575-server-rejects-undeclared-capability',
    'sep-2575-missing-capability-http-400',
    'sep-2575-http-server-no-independent-requests-on-stream',
  ),
  ...of(
    'redops asks its client for no model and no folders, so it has no tool for the suite to try that with',
    'tools-call-sampling',
    'sep-2322-sampling-incomplete',
    'sep-2322-list-roots-incomplete',
  ),
  ...of(
    'a fixture of the suite (test://static-text, test_prompt_with_arguments ...); resources, prompts and completions of redops: test/mcp/protocol.test.ts',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
    'completion-complete',
  ),
  ...of(
    'an option of the protocol that redops does not offer and does not declare: its log is its standard error, its resources do not change',
    'logging-set-level',
    'tools-call-with-logging',
    'sep-2575-server-no-log-without-loglevel',
    'resources-subscribe',
    'resources-unsubscribe',
  ),
  ...of(
    'no tool of redops takes an argument from a header (x-mcp-header)',
    'sep-2243-server-no-xmcp-tool',
    'sep-2243-server-decode-base64',
    'sep-2243-server-validate-param-match',
    'sep-2243-server-reject-invalid-param-chars',
    'sep-2243-server-reject-param-mismatch',
  ),
]);
