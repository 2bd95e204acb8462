"""A graph while it is put together: nodes in order, constants kept once, names that no column has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

ML = "ai.onnx.ml"
MAIN_OPSET = 13  # the least: a model that is grafted in may raise it
ML_OPSET = 3
IR_VERSION = 10  # read by onnxruntime from 1.18 on


class Graph:
    """``taken``: the names of the inputs, which are those of the columns and can be any text."""

    def __init__(self, taken: frozenset[str]) -> None:
        self._taken = set(taken)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._tensors: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self._opsets = {"": MAIN_OPSET, ML: ML_OPSET}

    def name(self, wanted: str) -> str:
        """This name, or the next that is free."""
        name, k = wanted, 1
        while name in self._taken:
            k += 1
            name = f"{wanted}~{k}"
        self._taken.add(name)
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node; the name of its output."""
        name = self.name(f"{op}_{len(self._nodes)}")
        self._nodes.append(self._node(op, list(inputs), [name], domain=domain, **attributes))
        return name

    def _node(self, op: str, inputs: list[str], outputs: list[str], **more: Any) -> onnx.NodeProto:
        from onnx import helper

        return helper.make_node(op, inputs, outputs, name=outputs[0], **more)

    def cast(self, value: str, to: type[np.generic]) -> str:
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))

    def constant(self, value: np.ndarray) -> str:
        """An array, kept once however often it is asked for. Texts are arrays of objects."""
        from onnx import helper, numpy_helper

        text = value.dtype.kind == "O"
        raw = repr(value.tolist()).encode() if text else value.tobytes()
        key = (value.dtype.str, value.shape, raw)
        if key not in self._constants:
            name = self._constants[key] = self.name(f"constant_{len(self._constants)}")
            if text:
                cells: Any = [str(cell).encode() for cell in value.ravel()]
                tensor = helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape, cells)
            else:
                tensor = numpy_helper.from_array(np.ascontiguousarray(value), name)
            self._tensors.append(tensor)
        return self._constants[key]

    def default(self, name: str, value: np.ndarray) -> None:
        """What an input is where it is not given."""
        from onnx import numpy_helper

        self._tensors.append(numpy_helper.from_array(value, name))

    def output(self, value: str, wanted: str) -> str:
        """Give a value the name of an output; the name, which is another where a column has it."""
        name = self.name(wanted)
        self._nodes.append(self._node("Identity", [value], [name]))
        return name

    def needs(self, domain: str, opset: int) -> None:
        self._opsets[domain] = max(opset, self._opsets.get(domain, 0))

    def graft(self, model: onnx.ModelProto, inputs: Mapping[str, str]) -> list[str]:
        """Put the nodes of another model here, its ``inputs`` (their name → ours) connected; the names of its outputs."""
        for opset in model.opset_import:
            self.needs(opset.domain, opset.version)
        renamed = dict(inputs) | {"": ""}

        def ours(name: str) -> str:
            if name not in renamed:
                renamed[name] = self.name(f"model/{name}")
            return renamed[name]

        for tensor in model.graph.initializer:
            tensor.name = ours(tensor.name)
            self._tensors.append(tensor)
        for node in model.graph.node:
            node.input[:] = [ours(name) for name in node.input]
            node.output[:] = [ours(name) for name in node.output]
            node.name = node.output[0]
            self._nodes.append(node)
        return [ours(output.name) for output in model.graph.output]

    def model(self, outputs: list[onnx.ValueInfoProto], about: Mapping[str, str]) -> onnx.ModelProto:
        """The whole, checked."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(self._nodes, "fitscale", self.inputs, outputs, self._tensors)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._opsets.items()]
        made = helper.make_model(graph, opset_imports=opsets, producer_name="fitscale", ir_version=IR_VERSION)
        helper.set_model_props(made, dict(about))
        onnx.checker.check_model(made)
        return made
