const LATER = new Map(); // a warning waits for the output of its call: before that the model hears nothing

export const BeeKeeper = async (context) => ({
  "tool.execute.before": async (input, output) => {
    const said = await asked({ hook: "tool.execute.before", directory: context?.directory, input, output });
    if (said.reason !== undefined) throw new Error(said.reason);
    if (said.warning !== undefined && LATER.size < 1000) LATER.set(input.callID, said.warning);
  },
  "tool.execute.after": async (input, output) => {
    const warning = LATER.get(input.callID);
    LATER.delete(input.callID);
    const said = await asked({ hook: "tool.execute.after", directory: context?.directory, input, output });
    if (said.reason !== undefined) throw new Error(said.reason);
    const more = [warning, said.warning].filter((text) => text !== undefined).join("\n");
    if (more) output.output = `${output.output}\n\n${more}`;
  },
});
