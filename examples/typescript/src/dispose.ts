/// <reference lib="esnext.disposable" preserve="true" />

/** Lets `using` close the objects of a class. Not every engine has Symbol.dispose yet. */
export function disposeByClosing(closable: { readonly prototype: { close(): void } }): void {
  if (typeof Symbol.dispose !== "symbol") return;
  Object.defineProperty(closable.prototype, Symbol.dispose, {
    value: function (this: { close(): void }) {
      this.close();
    },
  });
}
