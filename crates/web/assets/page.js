const said = await (await fetch("session" + location.search)).json();
document.getElementById("page").textContent = `${said.name}: ${said.mode}`;
