export default {
  id: "bk",
  name: "BeeKeeper",
  description: "shows each tool call to the guard first",
  register(api) {
    const told = (ctx) => ({ sessionKey: ctx?.sessionKey, agentId: ctx?.agentId });
    api.on("before_tool_call", async (event, ctx) => {
      const said = await asked({ hook: "before_tool_call", cwd: ctx?.workspaceDir, event, ctx: told(ctx) });
      return said.reason !== undefined ? { block: true, blockReason: said.reason } : undefined;
    });
    const shown = async (event, ctx) => {
      const parts = Array.isArray(event?.result?.content) ? event.result.content : [];
      const texts = parts.filter((part) => typeof part?.text === "string").map((part) => part.text);
      const call = { toolName: event?.toolName, params: event?.args, toolCallId: event?.toolCallId, result: texts.join("\n") };
      const said = await asked({ hook: "after_tool_call", cwd: event?.cwd, event: call, ctx: told(ctx) });
      const instead = said.reason ?? (typeof said.output === "string" ? said.output : undefined);
      const rest = instead === undefined ? parts : parts.filter((part) => typeof part?.text !== "string");
      const added = [instead, said.warning].filter((text) => typeof text === "string").map((text) => ({ type: "text", text }));
      return added.length > 0 ? { result: { ...event.result, content: [...rest, ...added] } } : undefined;
    };
    try {
      api.registerAgentToolResultMiddleware(shown, { runtimes: ["openclaw"] });
    } catch {} // a release without this shows the model outputs as they are; what stops calls must be there all the same
  },
};
