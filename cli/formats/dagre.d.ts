/**
 * The part of dagre that is used. Its own types import each other without file extensions, which TypeScript does not resolve for an
 * ECMAScript module under `nodenext`, so that everything would be of type any.
 */
declare module "@dagrejs/dagre" {
  interface Point {
    x: number;
    y: number;
  }

  /** A node's or a label's middle and size; the middle is there once it is laid out. */
  interface Placed extends Partial<Point> {
    width?: number;
    height?: number;
  }

  interface EdgeLabel extends Placed {
    labelpos?: "l" | "c" | "r";
    /** There once it is laid out, from the border of one node to that of the other. */
    points?: Point[];
  }

  interface GraphLabel extends Placed {
    rankdir?: "TB" | "BT" | "LR" | "RL";
    nodesep?: number;
    edgesep?: number;
    ranksep?: number;
    marginx?: number;
    marginy?: number;
  }

  export class Graph {
    constructor(options: { compound: boolean; multigraph: boolean });
    setGraph(label: GraphLabel): this;
    graph(): GraphLabel;
    setNode(id: string, label: Placed): this;
    node(id: string): Placed;
    setParent(id: string, parent: string): this;
    setEdge(from: string, to: string, label: EdgeLabel, name: string): this;
    edge(from: string, to: string, name: string): EdgeLabel;
  }

  export function layout(graph: Graph): void;
}
