export default {
  id: "bk",
  name: "BeeKeeper",
  description: "shows each tool call to the guard first",
  register(api) {
    api.on("before_tool_call", async (event, ctx) => {
      const told = { sessionKey: ctx?.sessionKey, agentId: ctx?.agentId };
      const said = await asked({ hook: "before_tool_call", cwd: ctx?.workspaceDir, event, ctx: told });
      return said.reason !== undefined ? { block: true, blockReason: said.reason } : undefined;
    });
  },
};
