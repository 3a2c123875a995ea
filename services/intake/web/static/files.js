// Pictures of a phone are made smaller before they are sent; without this they go as they are.
(() => {
  "use strict";
  const LONGEST = 2400; // pixels: an A4 page stays readable at about 200 dpi
  const SMALL = 1500000; // bytes: what is below goes as it is

  async function smaller(file) {
    if (!/^image\/(jpeg|png)$/.test(file.type) || file.size < SMALL) return file;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      if (!made || made.size >= file.size) return file;
      const name = file.name.replace(/\.[^.]*$/, "") + ".jpg";
      return new File([made], name, { type: "image/jpeg" });
    } catch {
      return file; // a picture that this browser cannot read: the server judges it
    }
  }

  const mb = (bytes) => (bytes / 1048576).toFixed(1).replace(".", ",");

  for (const form of document.querySelectorAll("form[data-files]")) {
    const said = form.querySelector("[data-said]");
    const button = form.querySelector("button[type=submit]");
    form.addEventListener("change", async (event) => {
      const input = event.target;
      if (input.type !== "file") return;
      button.disabled = true;
      said.textContent = said.dataset.shrinking;
      const kept = new DataTransfer();
      for (const file of [...input.files]) kept.items.add(await smaller(file));
      input.files = kept.files;
      const all = [...form.querySelectorAll("input[type=file]")].flatMap((i) => [...i.files]);
      const large = all.filter((file) => file.size > Number(form.dataset.most));
      said.textContent = large.length
        ? `${said.dataset.tooLarge} ${large.map((file) => file.name).join(", ")}`
        : `${all.length} ${said.dataset.files}, ${mb(all.reduce((sum, file) => sum + file.size, 0))} MB`;
      button.disabled = false;
    });
  }
})();
